#include "server/engine/fit.h"

#include <cmath>
#include <string>

#include "base/status.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "planner/models/models.h"

namespace mantissa::engine {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

class FitTest : public ::testing::Test {
 protected:
  FitTest() {
    auto graph = planner::BuildModel({.name = "resnet18", .width = 0.1, .classes = 3});
    MANTISSA_CHECK_OK(graph);
    graph_ = *std::move(graph);
    data_ = {.channels = 3, .height = 32, .width = 32, .classes = 3};
    data_.train = Samples(5);
    data_.test = Samples(2);
    data_.mean = data_.stddev = {1, 1, 1};
    options_.batch_size = 5;
  }

  static data::Samples Samples(int64_t count) {
    data::Samples samples;
    samples.images_u8.resize(count * 3 * 32 * 32);
    samples.labels.assign(count, 2);
    return samples;
  }

  std::string Error() const {
    const absl::Status status = CheckFit(graph_, data_, options_);
    EXPECT_TRUE(status.ok() || absl::IsInvalidArgument(status));
    return std::string(status.message());
  }

  planner::Graph graph_{"none"};
  data::LoadedDataset data_;
  TrainingOptions options_;
};

TEST_F(FitTest, DataThatFitAreAccepted) { EXPECT_EQ(Error(), ""); }

TEST_F(FitTest, LabelBeyondTheClassesIsNamedWithItsSampleAndTheRemedy) {
  data_.test.labels[1] = 3;
  EXPECT_THAT(Error(), HasSubstr("label 3 of test sample 1 is out of range; the model has 3 "
                                 "classes, so labels go from 0 to 2. Submit with --classes 4"));
  data_.test.labels[1] = -1;
  EXPECT_THAT(Error(), AllOf(HasSubstr("label -1"), HasSubstr("labels go from 0 to 2. Correct"),
                             Not(HasSubstr("--classes"))));
}

TEST_F(FitTest, ImagesOfAnotherShapeAreRefusedNamingBoth) {
  data_.height = 16;
  EXPECT_THAT(Error(), HasSubstr("images are 3x16x32; the model was made for 3x32x32"));
}

TEST_F(FitTest, BatchLargerThanTheDataNamesBothNumbers) {
  options_.batch_size = 6;
  EXPECT_THAT(Error(), HasSubstr("training.batch_size is 6; allowed 1 to 5, the training samples"));
}

TEST_F(FitTest, EmptyDataAndTruncatedImagesAreRefused) {
  data_.train.images_u8.pop_back();
  EXPECT_THAT(Error(), HasSubstr("5 images need 15360"));
  data_.train = {};
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
