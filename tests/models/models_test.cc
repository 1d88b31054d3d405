// Exported models beside PyTorch, and the judges against recordings that were changed.

#include <cmath>
#include <map>
#include <string>
#include <vector>

#include "ATen/Context.h"
#include "ATen/Parallel.h"
#include "base/status.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/models/judge.h"
#include "tests/models/recorded_model.h"
#include "tests/models/replay.h"
#include "tests/models/table.h"

namespace mantissa::model_replay {
namespace {

using ::testing::Each;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

constexpr char kFolder[] = "tests/models/testdata";

class ModelsTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    at::set_num_threads(1);
    at::globalContext().setDeterministicAlgorithms(true, /*warn_only=*/true);
  }

  static Exported Named(const std::string& name) {
    auto models = ListModels(kFolder);
    MANTISSA_CHECK_OK(models);
    for (const Exported& exported : *models) {
      if (exported.name == name) return exported;
    }
    return {};
  }

  static Model Opened(const std::string& name) {
    auto model = OpenModel(kFolder, Named(name));
    MANTISSA_CHECK_OK(model);
    return *std::move(model);
  }

  static Training Trained(const Model& model, const TrainOptions& options) {
    auto training = Train(model, options);
    MANTISSA_CHECK_OK(training);
    return *std::move(training);
  }
};

TEST_F(ModelsTest, TextModelWithTiedWeightsTrainsAsInPyTorch) {
  const Report report = Examine(kFolder, Named("gpt_tied"));
  EXPECT_THAT(report.failures, IsEmpty());
  EXPECT_EQ(report.losses.judged, 20);
  EXPECT_EQ(report.calm_losses.judged, 20);
  EXPECT_GT(report.gradients.judged, 20);
  EXPECT_GT(report.weights.judged, 100);
  EXPECT_THAT(report.notes, IsEmpty());
}

TEST_F(ModelsTest, ModelOfTwoInputsTrainsAsInPyTorch) {
  const Report report = Examine(kFolder, Named("two_inputs"));
  EXPECT_THAT(report.failures, IsEmpty());
  EXPECT_EQ(report.losses.judged, 20);
  EXPECT_EQ(report.gradients.judged, 8);
}

TEST_F(ModelsTest, LiveDropoutIsFiniteAndTheSameFromTheSameSeed) {
  const Report report = Examine(kFolder, Named("random_mnist_dropout"));
  EXPECT_THAT(report.failures, IsEmpty());
  // Another seed gave other losses.
  EXPECT_THAT(report.notes, IsEmpty());
}

TEST_F(ModelsTest, BatchesOfOtherSizesThanExportedTrain) {
  const Model model = Opened("gpt_tied");
  for (const int64_t batch_size : {1, 3, 20}) {
    const Training training = Trained(model, {.steps = 2, .batch_size = batch_size});
    EXPECT_TRUE(std::isfinite(training.losses[1])) << batch_size;
  }
}

TEST_F(ModelsTest, GradientOfALargerBatchIsTheMeanOfItsParts) {
  const Model model = Opened("two_inputs");
  const Training both = Trained(model, {.steps = 1, .batch_size = 16});
  const Training first = Trained(model, {.learning_rate = 0, .steps = 2, .batch_size = 8});
  EXPECT_NEAR(both.losses[0], (first.losses[0] + first.losses[1]) / 2, 1e-6);
}

TEST_F(ModelsTest, TiedParameterIsOneWithTwoNames) {
  const Model model = Opened("gpt_tied");
  EXPECT_EQ(model.names.at("lm_head.weight"), model.names.at("wte.weight"));
}

TEST_F(ModelsTest, ParameterWithoutGradientKeepsItsValue) {
  const Model model = Opened("two_inputs");
  EXPECT_EQ(model.names.count("unused"), 0);
  EXPECT_THAT(model.graph->parameters(), SizeIs(8));
}

// What the judges must notice.

TEST_F(ModelsTest, ChangedGradientIsFound) {
  const Model model = Opened("two_inputs");
  const Training training = Trained(model, {.steps = 1});
  RecordedModel recorded = *model.recorded;
  std::vector<std::string> failures;
  JudgeGradients(recorded, model, training, failures);
  ASSERT_THAT(failures, IsEmpty());
  recorded.gradients.at("small.bias").first[3] *= 1.001;
  JudgeGradients(recorded, model, training, failures);
  EXPECT_THAT(failures, Not(IsEmpty()));
  EXPECT_THAT(failures, Each(HasSubstr("small.bias")));
}

TEST_F(ModelsTest, MissingGradientIsFound) {
  const Model model = Opened("two_inputs");
  Training training = Trained(model, {.steps = 1});
  training.gradients.erase("mix.bias");
  std::vector<std::string> failures;
  JudgeGradients(*model.recorded, model, training, failures);
  EXPECT_THAT(failures, ::testing::ElementsAre("there is no gradient of mix.bias"));
}

TEST_F(ModelsTest, ChangedLossIsFoundUnlessItsStepIsNoise) {
  RecordedLosses recorded{.learning_rate = 0.01, .exact = {1, 2, 3}, .noise = {1e-8, 1e-8, 1e-8}};
  const Training training{.losses = {1, 2.0001, 3}};
  std::vector<std::string> failures;
  EXPECT_EQ(JudgeLosses(recorded, training, failures).judged, 3);
  EXPECT_THAT(failures, SizeIs(1));
  EXPECT_THAT(failures[0], HasSubstr("loss of step 1"));
  failures.clear();
  recorded.noise[1] = 2e-3;
  const Score score = JudgeLosses(recorded, training, failures);
  EXPECT_EQ(score.judged, 2);
  EXPECT_EQ(score.left_out, 1);
  EXPECT_THAT(failures, IsEmpty());
}

TEST_F(ModelsTest, LossThatIsNoNumberIsFound) {
  const RecordedLosses recorded{.exact = {1}, .noise = {1e-8}};
  std::vector<std::string> failures;
  JudgeLosses(recorded, {.losses = {NAN}}, failures);
  EXPECT_THAT(failures, SizeIs(1));
}

TEST_F(ModelsTest, WeightThatMovedTooFarIsFound) {
  const Model model = Opened("two_inputs");
  Training training = Trained(model, {});
  std::vector<std::string> failures;
  JudgeWeights(*model.recorded, model.recorded->usual, model, training, failures);
  ASSERT_THAT(failures, IsEmpty());
  training.travel.at("small.bias").l2 *= 1.01;
  JudgeWeights(*model.recorded, model.recorded->usual, model, training, failures);
  EXPECT_THAT(failures, SizeIs(1));
}

TEST_F(ModelsTest, ArchiveThatCannotBeReadIsAFailedLine) {
  const Report report =
      Examine(kFolder, {.name = "none", .archive = "tests/models/testdata/none.pt2"});
  ASSERT_THAT(report.failures, SizeIs(1));
  EXPECT_THAT(report.failures[0], HasSubstr("cannot be opened"));
  EXPECT_THAT(Line(report), HasSubstr("FAILED"));
  EXPECT_THAT(Document({report}), HasSubstr("- **none**: cannot be opened"));
}

}  // namespace
}  // namespace mantissa::model_replay
