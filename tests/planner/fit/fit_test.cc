#include "planner/fit/fit.h"

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "base/status.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "planner/plan.h"
#include "planner/policies/assign.h"
#include "planner/policies/registry.h"

namespace mantissa::planner {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

constexpr int64_t kMiB = int64_t{1} << 20;

PlanRequest RequestFor(const std::string& model, const std::string& policy) {
  return {.model = {.name = model}, .precision = {.policy = policy}};
}

int64_t PeakAt(PlanRequest request, double low_ratio) {
  request.precision.low_ratio = low_ratio;
  request.memory_bytes = 0;
  return MakePlan(request).value().memory.peak_bytes;
}

int CountTrue(const std::vector<bool>& flags) {
  return static_cast<int>(std::count(flags.begin(), flags.end(), true));
}

class FitEveryModelTest : public testing::TestWithParam<std::string> {};

TEST_P(FitEveryModelTest, TakesTheFewestGroupsOfThePolicysOrderThatFit) {
  for (const char* policy : {"demotion", "budget", "increasing", "random"}) {
    PlanRequest request = RequestFor(GetParam(), policy);
    const int64_t high = PeakAt(request, 0), low = PeakAt(request, 1);
    ASSERT_LT(low, high);
    request.memory_bytes = low + (high - low) / 2;
    const Plan plan = MakePlan(request).value();
    EXPECT_LE(plan.memory.peak_bytes, request.memory_bytes) << policy;
    EXPECT_EQ(CountTrue(plan.recompute), 0) << policy;
    // The low groups are the first of its order, and without the last of them it does not fit.
    std::vector<int> taken = MakePolicy(request.precision, PolicyContextOf(request))
                                 .value()
                                 ->GroupOrder(plan.graph, plan.tensors, request.batch_size);
    taken.resize(CountTrue(plan.assignment.group_low));
    for (const int group : taken) EXPECT_TRUE(plan.assignment.group_low[group]) << policy;
    taken.pop_back();
    PlanRequest fewer = request;
    fewer.precision = {.policy = "explicit", .low_groups = taken};
    fewer.memory_bytes = 0;
    EXPECT_GT(MakePlan(fewer).value().memory.peak_bytes, request.memory_bytes) << policy;
  }
}

// Whatever the peak does on the way: in bf16, where high is what operators compute with, a low
// group can need more than a high one.
TEST_P(FitEveryModelTest, TakesFewerGroupsThanAnyOtherPrefixThatFits) {
  for (const Recipe recipe : {Recipe::kPaper, Recipe::kBf16}) {
    for (const char* policy : {"demotion", "increasing", "random"}) {
      PlanRequest request = RequestFor(GetParam(), policy);
      request.recipe = recipe;
      request.batch_size = 32;
      const int64_t high = PeakAt(request, 0), low = PeakAt(request, 1);
      for (const double share : {0.8, 0.3}) {
        request.memory_bytes = low + static_cast<int64_t>(share * static_cast<double>(high - low));
        const Plan plan = MakePlan(request).value();
        EXPECT_LE(plan.memory.peak_bytes, request.memory_bytes);
        const std::vector<int> order = MakePolicy(request.precision, PolicyContextOf(request))
                                           .value()
                                           ->GroupOrder(plan.graph, plan.tensors, 32);
        const MemoryModel model(plan.graph, plan.tensors, plan.schedule, 32,
                                MemoryOptionsOf(request));
        std::vector<bool> group_low(order.size(), false);
        int64_t before = INT64_MAX;
        for (int count = 0; count < CountTrue(plan.assignment.group_low); ++count) {
          const int64_t peak = model.PeakBytes(
              InRecipe(AssignGroups(plan.tensors, group_low).formats, HighFormat(recipe)));
          EXPECT_GT(peak, request.memory_bytes) << policy << " " << count;
          EXPECT_TRUE(peak <= before || recipe == Recipe::kBf16) << policy << " " << count;
          before = peak;
          group_low[order[count]] = true;
        }
        EXPECT_EQ(group_low, plan.assignment.group_low) << policy;
      }
    }
  }
}

TEST_P(FitEveryModelTest, NeedsNoLowGroupWhereEverythingHighFits) {
  PlanRequest request = RequestFor(GetParam(), "demotion");
  request.memory_bytes = PeakAt(request, 0);
  EXPECT_EQ(MakePlan(request).value().cost.ratio_low_groups, 0);
}

TEST_P(FitEveryModelTest, RecomputesAsLittleAsFitsOnceAllIsLow) {
  PlanRequest request = RequestFor(GetParam(), "demotion");
  const int64_t low = PeakAt(request, 1);
  PlanRequest cheap = request;
  cheap.precision.low_ratio = 1;
  cheap.recompute = Recompute::kCheap;
  const Plan most = MakePlan(cheap).value();
  ASSERT_LT(most.memory.peak_bytes, low);
  request.memory_bytes = most.memory.peak_bytes + (low - most.memory.peak_bytes) / 2;
  const Plan plan = MakePlan(request).value();
  EXPECT_LE(plan.memory.peak_bytes, request.memory_bytes);
  EXPECT_EQ(plan.cost.ratio_low_groups, 1);
  EXPECT_GT(CountTrue(plan.recompute), 0);
  EXPECT_LT(CountTrue(plan.recompute), CountTrue(most.recompute));
  const std::vector<bool> can = CanRecompute(plan.graph, plan.tensors);
  for (size_t value = 0; value < can.size(); ++value) {
    EXPECT_TRUE(!plan.recompute[value] || can[value]);
  }
}

TEST_P(FitEveryModelTest, RecomputesOnlyWhatLowersThePeak) {
  PlanRequest request = RequestFor(GetParam(), "uniform");
  request.recompute = Recompute::kCheap;
  Plan plan = MakePlan(request).value();
  const int64_t peak = plan.memory.peak_bytes;
  const std::vector<bool> recompute = plan.recompute;
  // Keeping all v that the schedule would save otherwise, one at a time, costs memory.
  for (const ValueId saved : MakeSchedule(plan.graph, plan.tensors, {}).saved) {
    if (!recompute[plan.tensors.Resolve(saved)]) continue;
    plan.recompute = recompute;
    plan.recompute[plan.tensors.Resolve(saved)] = false;
    Forecast(plan);
    EXPECT_GT(plan.memory.peak_bytes, peak) << plan.graph.value(saved).name;
  }
}

INSTANTIATE_TEST_SUITE_P(AllModels, FitEveryModelTest,
                         testing::Values("resnet18", "mobilenet_v2", "shufflenet_v2", "squeezenet"),
                         [](const auto& info) { return info.param; });

// "... batch size 77; ..." -> 77; 0 if there is none.
int64_t RemedyBatch(const std::string& message) {
  const size_t at = message.find("batch size ", message.find("would fit"));
  int64_t batch = 0;
  if (at == std::string::npos) return 0;
  for (size_t i = at + 11; i < message.size() && isdigit(message[i]) != 0; ++i) {
    batch = 10 * batch + (message[i] - '0');
  }
  return batch;
}

TEST(Shortfall, NamesTheLargestBatchThatFitsAndNoLarger) {
  PlanRequest request = RequestFor("resnet18", "demotion");
  request.memory_bytes = 150 * kMiB;
  const absl::Status status = MakePlan(request).status();
  ASSERT_EQ(status.code(), absl::StatusCode::kFailedPrecondition) << status;
  EXPECT_THAT(status.message(), HasSubstr("precision.memory_bytes allows 150.0 MiB"));
  request.batch_size = RemedyBatch(std::string(status.message()));
  ASSERT_GT(request.batch_size, 0) << status;
  EXPECT_TRUE(MakePlan(request).ok()) << request.batch_size;
  ++request.batch_size;
  EXPECT_FALSE(MakePlan(request).ok()) << request.batch_size;
}

TEST(Shortfall, OffersANarrowerOptimizerStateOnlyWhereItHelps) {
  PlanRequest request = RequestFor("resnet18", "demotion");
  request.recompute = Recompute::kNone;
  PlanRequest narrow = request;
  narrow.optimizer_state = OptimizerStateWidth::kInt8;
  request.memory_bytes = PeakAt(narrow, 1);
  EXPECT_THAT(MakePlan(request).status().message(), HasSubstr("optimizer state int8"));
  request.memory_bytes = 30 * kMiB;
  EXPECT_THAT(MakePlan(request).status().message(), Not(HasSubstr("optimizer state")));
  // Nothing is narrower.
  request.memory_bytes = PeakAt(narrow, 1) - 1;
  request.optimizer_state = OptimizerStateWidth::kInt8;
  EXPECT_THAT(MakePlan(request).status().message(), Not(HasSubstr("optimizer state")));
}

TEST(Shortfall, OffersRecomputingWhereItWasForbiddenAndFits) {
  PlanRequest request = RequestFor("resnet18", "demotion");
  request.recompute = Recompute::kNone;
  request.memory_bytes = PeakAt(request, 1) - kMiB;
  EXPECT_THAT(MakePlan(request).status().message(), HasSubstr("recomputing (recompute auto)"));
  request.recompute = Recompute::kAuto;
  EXPECT_TRUE(MakePlan(request).ok());
}

TEST(Shortfall, OffersDemotionToPoliciesThatHaveNoOrder) {
  PlanRequest request = RequestFor("mobilenet_v2", "operator");
  request.recompute = Recompute::kNone;
  request.memory_bytes = PeakAt(RequestFor("mobilenet_v2", "demotion"), 1);
  const absl::Status status = MakePlan(request).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(status.message(), HasSubstr("(policy operator, batch size 128)"));
  EXPECT_THAT(status.message(), HasSubstr("policy demotion"));
}

TEST(Shortfall, SaysSoWhereNotEvenOneSampleFits) {
  PlanRequest request = RequestFor("resnet18", "demotion");
  request.memory_bytes = kMiB;
  EXPECT_THAT(MakePlan(request).status().message(), HasSubstr("Not even batch size 1 fits"));
}

TEST(MakePlan, RefusesARatioBesideALimitOfMemory) {
  PlanRequest request = RequestFor("resnet18", "demotion");
  request.memory_bytes = 500 * kMiB;
  request.precision.low_ratio = 0.5;
  const absl::Status status = MakePlan(request).status();
  ASSERT_EQ(FieldViolationsOf(status).size(), 1) << status;
  EXPECT_EQ(FieldViolationsOf(status)[0].field, "precision.low_ratio");
  request.precision = {.policy = "uniform", .low_ratio = 1};
  EXPECT_TRUE(MakePlan(request).ok());
}

TEST(MakePlan, FitsInTheBf16RecipeWithWhatItCallsHigh) {
  PlanRequest request = RequestFor("resnet18", "budget");
  request.recipe = Recipe::kBf16;
  const int64_t high = PeakAt(request, 0), low = PeakAt(request, 1);
  request.memory_bytes = (high + low) / 2;
  const Plan plan = MakePlan(request).value();
  EXPECT_LE(plan.memory.peak_bytes, request.memory_bytes);
  const std::vector<kernels::Format>& formats = plan.assignment.formats;
  EXPECT_EQ(std::count(formats.begin(), formats.end(), kernels::kHigh), 0);
  EXPECT_GT(std::count(formats.begin(), formats.end(), kernels::kBf16), 0);
  EXPECT_GT(std::count(formats.begin(), formats.end(), kernels::kLowForward), 0);
}

}  // namespace
}  // namespace mantissa::planner
