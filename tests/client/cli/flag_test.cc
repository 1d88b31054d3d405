#include "client/cli/flag.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "mantissa/v1/job.pb.h"

namespace mantissa::cli {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

constexpr Flag kPolicy = {
    .names = "-p,--policy", .type = FlagType::kChoice, .help = "", .field = "precision.policy"};
constexpr Flag kInput = {
    .names = "--input", .type = FlagType::kList, .help = "", .field = "model.input_shape"};
constexpr Flag kEpochs = {
    .names = "--epochs", .type = FlagType::kNumber, .help = "", .field = "training.epochs"};
constexpr Flag kLr = {
    .names = "--lr", .type = FlagType::kNumber, .help = "", .field = "training.learning_rate"};
constexpr Flag kSeed = {
    .names = "--seed", .type = FlagType::kNumber, .help = "", .field = "training.seed"};
constexpr Flag kLabels = {
    .names = "--labels", .type = FlagType::kMap, .help = "", .field = "labels"};

constexpr Flag kMemory = {
    .names = "--memory", .type = FlagType::kSize, .help = "", .field = "precision.memory_bytes"};

TEST(FlagTest, TellsShortFromLongName) {
  EXPECT_EQ(ShortName(kPolicy), "-p");
  EXPECT_EQ(LongName(kPolicy), "--policy");
  EXPECT_EQ(ShortName(kInput), "");
  EXPECT_EQ(LongName(kInput), "--input");
}

TEST(FlagTest, TakesChoicesFromEnumerationOfItsField) {
  EXPECT_THAT(ChoicesOf(kPolicy, v1::JobSpec::descriptor()),
              ElementsAre("none", "demotion", "uniform", "operator", "autocast", "increasing",
                          "random", "explicit", "budget"));
  EXPECT_EQ(ChoiceName(v1::Rounding_descriptor()->FindValueByNumber(v1::ROUNDING_NEAREST_EVEN)),
            "nearest-even");
}

TEST(FlagTest, SetsNestedFieldsOfEachType) {
  v1::JobSpec spec;
  ASSERT_TRUE(SetField(kPolicy, "operator", &spec).ok());
  ASSERT_TRUE(SetField(kInput, "3x32x32", &spec).ok());
  ASSERT_TRUE(SetField(kEpochs, "7", &spec).ok());
  ASSERT_TRUE(SetField(kLr, "1e-3", &spec).ok());
  ASSERT_TRUE(SetField(kSeed, "18446744073709551615", &spec).ok());
  EXPECT_EQ(spec.precision().policy(), v1::POLICY_NAME_OPERATOR);
  EXPECT_THAT(spec.model().input_shape(), ElementsAre(3, 32, 32));
  EXPECT_EQ(spec.training().epochs(), 7);
  EXPECT_EQ(spec.training().learning_rate(), 1e-3);
  EXPECT_EQ(spec.training().seed(), 18446744073709551615u);
}

TEST(FlagTest, ReplacesListButAddsToMap) {
  v1::JobSpec spec;
  ASSERT_TRUE(SetField(kInput, "1,28,28", &spec).ok());
  ASSERT_TRUE(SetField(kInput, "3,32,32", &spec).ok());
  EXPECT_THAT(spec.model().input_shape(), ElementsAre(3, 32, 32));
  ASSERT_TRUE(SetField(kLabels, "a=1,b=x=y", &spec).ok());
  ASSERT_TRUE(SetField(kLabels, "a=2", &spec).ok());
  EXPECT_EQ(spec.labels().size(), 2u);
  EXPECT_EQ(spec.labels().at("a"), "2");
  EXPECT_EQ(spec.labels().at("b"), "x=y");
}

TEST(FlagTest, NamesFlagValueAndWhatIsAllowed) {
  v1::JobSpec spec;
  const absl::Status number = SetField(kEpochs, "many", &spec);
  EXPECT_EQ(number.message(), "--epochs is 'many'; allowed: a whole number.");
  EXPECT_FALSE(SetField(kEpochs, "99999999999", &spec).ok());
  EXPECT_FALSE(SetField(kSeed, "-1", &spec).ok());
  EXPECT_FALSE(SetField(kInput, "3x32xbig", &spec).ok());
  EXPECT_THAT(std::string(SetField(kPolicy, "best", &spec).message()), HasSubstr("demotion"));
  EXPECT_FALSE(SetField(kLabels, "novalue", &spec).ok());
}

TEST(FlagTest, SetsBytesFromSizesWithUnits) {
  v1::JobSpec spec;
  ASSERT_TRUE(SetField(kMemory, "1.5GiB", &spec).ok());
  EXPECT_EQ(spec.precision().memory_bytes(), 1610612736);
  for (const char* wrong : {"8 potatoes", "-1GiB", "0", "9999999999TiB"}) {
    const absl::Status status = SetField(kMemory, wrong, &spec);
    EXPECT_THAT(std::string(status.message()),
                HasSubstr(std::string("--memory is '") + wrong +
                          "'; allowed: a size above 0 such as 8GiB"));
  }
  EXPECT_EQ(spec.precision().memory_bytes(), 1610612736);
}

}  // namespace
}  // namespace mantissa::cli
