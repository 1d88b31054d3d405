#include "server/engine/fit.h"

#include <cmath>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/status.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "planner/graph/loss.h"
#include "planner/plan.h"
#include "server/data/array_samples.h"

namespace mantissa::engine {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

class FitTest : public ::testing::Test {
 protected:
  FitTest() {
    data_ = {.inputs = {{"x", data::ElementType::kUInt8, {3, 32, 32}}},
             .target = {"y", data::ElementType::kInt64, {}, 3},
             .train = Samples({2, 2, 2, 2, 2}),
             .test = Samples({2, 2}),
             .mean = {1, 1, 1},
             .stddev = {1, 1, 1}};
    options_.batch_size = 5;
  }

  static planner::Plan MakePlan(std::vector<int64_t> input_shape) {
    planner::PlanRequest request{.batch_size = 5};
    request.model = {.name = "resnet18", .width = 0.1, .classes = 3};
    request.model.input_shape = std::move(input_shape);
    auto plan = planner::MakePlan(request);
    MANTISSA_CHECK_OK(plan);
    return *std::move(plan);
  }

  static std::shared_ptr<const data::SampleSource> Samples(const std::vector<int64_t>& labels) {
    const std::vector<uint8_t> pixels(labels.size() * 3 * 32 * 32);
    return data::MakeArraySamples({data::MakeColumn("x", {3, 32, 32}, pixels)},
                                  data::MakeColumn("y", {}, labels));
  }

  std::string Error() const {
    const absl::Status status = CheckFit(plan_, data_, options_);
    EXPECT_TRUE(status.ok() || absl::IsInvalidArgument(status));
    return std::string(status.message());
  }

  // A model that looks tokens up in 50 rows: [N, 6] to [N, 6, 4].
  void TakeTokenModel() {
    planner::Graph graph("tokens");
    const planner::ValueId ids =
        graph.AddInput("input_ids", planner::DType::kInt64, {planner::Dim::Batch(), 6});
    const planner::ValueId table = graph.AddParameter("wte.weight", {50, 4});
    graph.SetOutput(graph.AddNode(
        {.name = "wte",
         .op = "aten::embedding",
         .args = {{"weight", planner::ValueRef{table}}, {"indices", planner::ValueRef{ids}}}},
        planner::DType::kFloat32, {planner::Dim::Batch(), 6, 4}));
    MANTISSA_CHECK_OK(planner::AttachLoss(graph, {}));
    plan_.graph = graph;
    data_.inputs = {{"tokens", data::ElementType::kInt64, {6}, 50}};
    data_.target = {"next_tokens", data::ElementType::kInt64, {6}, 4};
  }

  planner::Plan plan_ = MakePlan({3, 32, 32});
  data::LoadedDataset data_;
  TrainingOptions options_;
};

TEST_F(FitTest, DataThatFitAreAccepted) { EXPECT_EQ(Error(), ""); }

TEST_F(FitTest, LabelBeyondTheClassesIsNamedWithItsSampleAndTheRemedy) {
  data_.test = Samples({2, 3});
  data_.target.classes = 4;
  EXPECT_THAT(Error(), HasSubstr("label 3 of test sample 1 is out of range; the model has 3 "
                                 "classes, so labels go from 0 to 2. Submit with --classes 4"));
}

TEST_F(FitTest, InputsOfAnotherShapeTypeOrNumberAreRefusedNamingBoth) {
  data_.inputs[0].shape = {3, 16, 32};
  EXPECT_THAT(Error(), AllOf(HasSubstr("input x is floating point, 3x16x32 a sample"),
                             HasSubstr("the model takes floating point, 3x32x32 for"),
                             HasSubstr("Submit with --input 3x16x32")));
  data_.inputs[0] = {"x", data::ElementType::kInt64, {3, 32, 32}};
  EXPECT_THAT(Error(), AllOf(HasSubstr("input x is whole numbers"), HasSubstr("as float32")));
  data_.inputs.push_back(data_.inputs[0]);
  EXPECT_THAT(Error(), HasSubstr("2 inputs a sample; the model takes 1"));
}

TEST_F(FitTest, DimensionsOfOneMayBeLeftOutOfSamples) {
  plan_ = MakePlan({1, 32, 32});
  data_.inputs[0] = {"x", data::ElementType::kFloat32, {32, 32}};
  EXPECT_EQ(Error(), "");
}

TEST_F(FitTest, TargetThatIsNotOfTheLossIsRefusedWithTheRemedy) {
  data_.target = {"y", data::ElementType::kInt64, {3}, 2};
  EXPECT_THAT(Error(),
              AllOf(HasSubstr("target y is whole numbers, 3 a sample"), HasSubstr("argmax()")));
  data_.target = {"y", data::ElementType::kFloat32, {}};
  EXPECT_THAT(Error(), HasSubstr("target y is floating point a sample"));
}

TEST_F(FitTest, TokensBeyondAnEmbeddingsRowsAreRefused) {
  TakeTokenModel();
  EXPECT_EQ(Error(), "");
  data_.inputs[0].classes = 51;
  EXPECT_THAT(Error(), HasSubstr("numbers up to 50; the model looks them up in wte, which has 50 "
                                 "rows, so they go from 0 to 49"));
  data_.inputs[0].classes = 0;
  EXPECT_THAT(Error(), HasSubstr("negative numbers"));
  data_.inputs[0].classes = 50;
  data_.target.classes = 5;
  EXPECT_THAT(Error(), HasSubstr("target next_tokens has class numbers up to 4; the model has 4"));
}

TEST_F(FitTest, AugmentationIsRefusedWhereTheTargetWouldHaveToMove) {
  options_.augment.kind = AugmentKind::kFlip;
  EXPECT_EQ(Error(), "");
  data_.target.shape = {32, 32};
  EXPECT_NE(Error(), "");
}

TEST_F(FitTest, MixUpOfClassNumbersIsRefused) {
  options_.augment.mixup_alpha = 0.2;
  EXPECT_THAT(Error(), HasSubstr("training.mixup_alpha is 0.2; allowed 0 where inputs or targets"));
}

TEST_F(FitTest, BatchLargerThanTheDataNamesBothNumbers) {
  options_.batch_size = 6;
  EXPECT_THAT(Error(), HasSubstr("training.batch_size is 6; allowed 1 to 5, the training samples"));
}

TEST_F(FitTest, EmptyDataAreRefused) {
  data_.train = Samples({});
  EXPECT_THAT(Error(), HasSubstr("no training samples"));
}

TEST_F(FitTest, NumbersThatAreNoneAreRefused) {
  options_.learning_rate = std::nan("");
  EXPECT_THAT(Error(), HasSubstr("training.learning_rate is nan"));
  options_.learning_rate = 0.1;
  options_.loss_scale = 0;
  EXPECT_THAT(Error(), HasSubstr("training.loss_scale"));
  options_.loss_scale = 1;
  options_.epochs = 0;
  EXPECT_THAT(Error(), HasSubstr("training.epochs"));
}

}  // namespace
}  // namespace mantissa::engine
