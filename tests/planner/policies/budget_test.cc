#include "planner/policies/budget.h"

#include <algorithm>
#include <cstdint>
#include <numeric>
#include <string>
#include <vector>

#include "base/status.h"
#include "gtest/gtest.h"
#include "planner/graph/graph.h"
#include "planner/graph/loss.h"
#include "planner/graph/tensors.h"
#include "planner/models/models.h"
#include "planner/schedule/schedule.h"

namespace mantissa::planner {
namespace {

constexpr int64_t kBatchSize = 64;

struct World {
  explicit World(const std::string& model) : graph(BuildModel({.name = model}).value()) {
    MANTISSA_CHECK_OK(AttachLoss(graph, {}));
  }
  int64_t PeakWithLow(const TensorTable& tensors, const std::vector<int>& low) const {
    std::vector<kernels::Format> formats(tensors.tensors().size(), kernels::kHigh);
    for (size_t i = 0; i < formats.size(); ++i) {
      const Tensor& tensor = tensors.tensors()[i];
      if (std::count(low.begin(), low.end(), tensor.group) > 0) formats[i] = LowFormat(tensor.kind);
    }
    return PredictMemory(graph, tensors, formats, MakeSchedule(graph, tensors, {}), kBatchSize, {})
        .peak_bytes;
  }
  Graph graph;
};

class BudgetOrderTest : public testing::TestWithParam<std::string> {};

TEST_P(BudgetOrderTest, TakesEachGroupOnce) {
  const World world(GetParam());
  const TensorTable tensors(world.graph);
  std::vector<int> order = Budget(0.5, {}).GroupOrder(world.graph, tensors, kBatchSize);
  std::sort(order.begin(), order.end());
  std::vector<int> all(tensors.group_count());
  std::iota(all.begin(), all.end(), 0);
  EXPECT_EQ(order, all);
}

// Its definition, computed another way: a whole forecast for each group that could come next.
TEST_P(BudgetOrderTest, EachGroupLowersThePeakMostForItsElements) {
  const World world(GetParam());
  const TensorTable tensors(world.graph);
  const std::vector<int64_t> elements = tensors.GroupElements(kBatchSize);
  const std::vector<int> order = Budget(0.5, {}).GroupOrder(world.graph, tensors, kBatchSize);
  std::vector<int> low;
  for (size_t place = 0; place < std::min<size_t>(order.size(), 6); ++place) {
    const int64_t peak = world.PeakWithLow(tensors, low);
    const auto gain_of = [&](int group) {
      std::vector<int> more = low;
      more.push_back(group);
      return static_cast<double>(peak - world.PeakWithLow(tensors, more)) /
             static_cast<double>(elements[group]);
    };
    const double taken = gain_of(order[place]);
    for (int group = 0; group < tensors.group_count(); ++group) {
      if (std::count(low.begin(), low.end(), group) > 0) continue;
      EXPECT_LE(gain_of(group), taken) << "group " << group << " at place " << place;
    }
    low.push_back(order[place]);
  }
}

INSTANTIATE_TEST_SUITE_P(AllModels, BudgetOrderTest,
                         testing::Values("resnet18", "mobilenet_v2", "shufflenet_v2", "squeezenet"),
                         [](const auto& info) { return info.param; });

}  // namespace
}  // namespace mantissa::planner
