#include "base/status.h"

#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace mantissa {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

absl::StatusOr<std::unique_ptr<int>> Make(bool ok) {
  if (!ok) return absl::NotFoundError("none");
  return std::make_unique<int>(7);
}

absl::StatusOr<int> Twice(bool ok) {
  ASSIGN_OR_RETURN(std::unique_ptr<int> value, Make(ok));
  RETURN_IF_ERROR(Make(ok));
  return 2 * *value;
}

TEST(Status, AssignOrReturnMovesTheValueOutAndPassesErrorsOn) {
  EXPECT_EQ(*Twice(true), 14);
  EXPECT_EQ(Twice(false).status(), absl::NotFoundError("none"));
}

absl::Status Evaluate(int& times) {
  RETURN_IF_ERROR((++times, absl::InternalError("bad")));
  ++times;
  return absl::OkStatus();
}

TEST(Status, ReturnIfErrorEvaluatesItsArgumentOnceAndStops) {
  int times = 0;
  EXPECT_EQ(Evaluate(times), absl::InternalError("bad"));
  EXPECT_EQ(times, 1);
}

TEST(Status, InvalidFieldSaysInputLimitAndRemedy) {
  const absl::Status status =
      InvalidField("plan.low_ratio", "1.5", "0.0 to 1.0", "Use 0.5 for half of the elements.");
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(status.message(),
            "plan.low_ratio is 1.5; allowed 0.0 to 1.0. Use 0.5 for half of the elements.");
}

TEST(Status, ViolationsSurviveTheWayThroughTheStatusByteForByte) {
  const FieldViolation first = {"a", std::string("x\0y", 3), "", "r"};
  const FieldViolation second = {"b", "", "q", ""};
  EXPECT_THAT(FieldViolationsOf(InvalidFields({first, second})), ElementsAre(first, second));
  EXPECT_TRUE(InvalidFields({}).ok());
  EXPECT_THAT(FieldViolationsOf(absl::InternalError("x")), IsEmpty());
}

TEST(Status, AnnotateKeepsCodeAndViolations) {
  const absl::Status status = Annotate(InvalidField("f", "1", "2", ""), "while reading x");
  EXPECT_EQ(status.message(), "while reading x: f is 1; allowed 2.");
  EXPECT_THAT(FieldViolationsOf(status), ElementsAre(FieldViolation{"f", "1", "2", ""}));
  EXPECT_TRUE(Annotate(absl::OkStatus(), "x").ok());
}

TEST(Status, InFieldPutsTheOuterPathBeforeEachField) {
  const absl::Status status = InField(InvalidField("rate", "1", "2", ""), "training");
  EXPECT_EQ(status.message(), "training.rate is 1; allowed 2.");
  EXPECT_EQ(FieldViolationsOf(status)[0].field, "training.rate");
  EXPECT_TRUE(InField(absl::OkStatus(), "training").ok());
}

TEST(StatusDeathTest, FailedCheckNamesConditionAndMessage) {
  const int n = 3;
  EXPECT_DEATH(MANTISSA_CHECK(n < 3, "n is ", n), "check failed: n < 3: n is 3");
  EXPECT_DEATH(MANTISSA_CHECK_OK(absl::NotFoundError("gone")), "NOT_FOUND: gone");
}

}  // namespace
}  // namespace mantissa
