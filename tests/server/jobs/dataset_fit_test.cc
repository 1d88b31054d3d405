#include "server/jobs/dataset_fit.h"

#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "gtest/gtest.h"

namespace mantissa::jobs {
namespace {

// Sizes after the batch.
v1::TensorInfo Tensor(const std::string& name, v1::DataType type,
                      const std::vector<int64_t>& sizes) {
  v1::TensorInfo tensor;
  tensor.set_name(name);
  tensor.set_data_type(type);
  tensor.add_shape()->set_size(1);
  tensor.mutable_shape(0)->set_times_batch(true);
  for (const int64_t size : sizes) tensor.add_shape()->set_size(size);
  return tensor;
}

v1::SampleTensor Sample(const std::string& name, v1::DataType type,
                        const std::vector<int64_t>& sizes, int64_t classes = 0) {
  v1::SampleTensor tensor;
  tensor.set_name(name);
  tensor.set_data_type(type);
  tensor.mutable_shape()->Assign(sizes.begin(), sizes.end());
  tensor.set_classes(classes);
  return tensor;
}

// Tokens [16] to logits [16, 100].
v1::Model Language() {
  v1::Model model;
  *model.add_inputs() = Tensor("tokens", v1::DATA_TYPE_INT64, {16});
  *model.add_outputs() = Tensor("logits", v1::DATA_TYPE_FLOAT32, {16, 100});
  return model;
}

v1::Dataset Text() {
  v1::Dataset dataset;
  dataset.set_name("text");
  *dataset.add_inputs() = Sample("x", v1::DATA_TYPE_INT64, {16}, 100);
  *dataset.mutable_target() = Sample("y", v1::DATA_TYPE_INT64, {16}, 100);
  return dataset;
}

std::string Refusal(const v1::Model& model, const v1::Dataset& dataset, v1::Loss loss) {
  const absl::Status status = CheckDatasetFits(model, dataset, loss);
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << status;
  return std::string(status.message());
}

TEST(DatasetFit, TakesTokensWithLabelsOfEveryPosition) {
  EXPECT_TRUE(CheckDatasetFits(Language(), Text(), v1::LOSS_CROSS_ENTROPY).ok());
}

TEST(DatasetFit, SaysWhichInputHasAnotherShapeOrType) {
  v1::Dataset shorter = Text();
  shorter.mutable_inputs(0)->set_shape(0, 8);
  EXPECT_TRUE(absl::StrContains(Refusal(Language(), shorter, v1::LOSS_CROSS_ENTROPY),
                                "int64 [8] a sample; allowed int64 [16]"));
  v1::Dataset real = Text();
  real.mutable_inputs(0)->set_data_type(v1::DATA_TYPE_FLOAT32);
  EXPECT_TRUE(absl::StrContains(Refusal(Language(), real, v1::LOSS_CROSS_ENTROPY), "float32 [16]"));
  v1::Dataset two = Text();
  *two.add_inputs() = two.inputs(0);
  EXPECT_TRUE(
      absl::StrContains(Refusal(Language(), two, v1::LOSS_CROSS_ENTROPY), "2 inputs; allowed 1"));
}

TEST(DatasetFit, HoldsLabelsToTheClassesAndPositionsOfTheOutput) {
  v1::Dataset many = Text();
  many.mutable_target()->set_classes(101);
  EXPECT_TRUE(absl::StrContains(Refusal(Language(), many, v1::LOSS_CROSS_ENTROPY),
                                "101 classes; allowed at most 100"));
  v1::Dataset one = Text();
  one.mutable_target()->clear_shape();
  EXPECT_TRUE(
      absl::StrContains(Refusal(Language(), one, v1::LOSS_CROSS_ENTROPY), "whole numbers [16]"));
}

TEST(DatasetFit, AsksForTargetsOfTheOutputsShapeWithSquares) {
  v1::Model model;
  *model.add_inputs() = Tensor("x", v1::DATA_TYPE_FLOAT32, {1, 8, 8});
  *model.add_outputs() = Tensor("y", v1::DATA_TYPE_FLOAT32, {1, 16, 16});
  v1::Dataset dataset;
  dataset.set_name("upscale");
  *dataset.add_inputs() = Sample("small", v1::DATA_TYPE_FLOAT32, {1, 8, 8});
  *dataset.mutable_target() = Sample("large", v1::DATA_TYPE_FLOAT32, {1, 16, 16});
  EXPECT_TRUE(CheckDatasetFits(model, dataset, v1::LOSS_MSE).ok());
  EXPECT_TRUE(CheckDatasetFits(model, dataset, v1::LOSS_BCE).ok());
  *dataset.mutable_target() = Sample("label", v1::DATA_TYPE_INT64, {}, 10);
  EXPECT_TRUE(absl::StrContains(Refusal(model, dataset, v1::LOSS_MSE), "float32 [1, 16, 16]"));
}

TEST(DatasetFit, ReadsImagesAndClassesOfEarlierDataSets) {
  v1::Dataset digits;
  digits.set_name("digits");
  for (const int64_t size : {1, 8, 8}) digits.add_sample_shape(size);
  digits.set_classes(10);
  ASSERT_EQ(InputsOf(digits).size(), 1u);
  v1::Model model;
  *model.add_inputs() = Tensor("x", v1::DATA_TYPE_FLOAT32, {1, 8, 8});
  *model.add_outputs() = Tensor("y", v1::DATA_TYPE_FLOAT32, {10});
  EXPECT_TRUE(CheckDatasetFits(model, digits, v1::LOSS_CROSS_ENTROPY).ok());
}

TEST(DatasetFit, NeverPrintsControlCharactersOfNames) {
  v1::Dataset dataset = Text();
  dataset.mutable_inputs(0)->set_name("\x1b[31m");
  dataset.mutable_inputs(0)->set_shape(0, 8);
  EXPECT_FALSE(absl::StrContains(Refusal(Language(), dataset, v1::LOSS_CROSS_ENTROPY), "\x1b"));
}

}  // namespace
}  // namespace mantissa::jobs
