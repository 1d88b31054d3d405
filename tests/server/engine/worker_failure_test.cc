#include "server/engine/worker_failure.h"

#include <gtest/gtest.h>

namespace mantissa::engine {
namespace {

v1::FailureCause Cause(WorkPhase phase, const absl::Status& status) {
  return FailureOf(phase, status).cause();
}

TEST(WorkerFailure, InvalidArgumentsAreNamedAfterWhatWasRead) {
  const absl::Status invalid = absl::InvalidArgumentError("label 7");
  EXPECT_EQ(Cause(WorkPhase::kLoad, invalid), v1::FAILURE_CAUSE_BAD_DATA);
  EXPECT_EQ(Cause(WorkPhase::kFit, invalid), v1::FAILURE_CAUSE_BAD_DATA);
  EXPECT_EQ(Cause(WorkPhase::kPlan, invalid), v1::FAILURE_CAUSE_BAD_REQUEST);
  EXPECT_EQ(Cause(WorkPhase::kWeights, invalid), v1::FAILURE_CAUSE_BAD_REQUEST);
  EXPECT_EQ(FailureOf(WorkPhase::kLoad, invalid).message(), "label 7");
}

TEST(WorkerFailure, MemoryAndDiskAreToldApart) {
  const absl::Status memory = absl::ResourceExhaustedError("memory ran out");
  const absl::Status disk = absl::ResourceExhaustedError("cannot write x: No space left on device");
  EXPECT_EQ(Cause(WorkPhase::kTrain, memory), v1::FAILURE_CAUSE_OUT_OF_MEMORY);
  EXPECT_EQ(Cause(WorkPhase::kTrain, disk), v1::FAILURE_CAUSE_DISK_FULL);
  EXPECT_EQ(Cause(WorkPhase::kUpload, memory), v1::FAILURE_CAUSE_DISK_FULL);
}

TEST(WorkerFailure, DataBeyondTheLimitAreBadData) {
  const absl::Status limit = absl::ResourceExhaustedError("decoded images take more than");
  EXPECT_EQ(Cause(WorkPhase::kLoad, limit), v1::FAILURE_CAUSE_BAD_DATA);
  EXPECT_EQ(Cause(WorkPhase::kWeights, limit), v1::FAILURE_CAUSE_BAD_REQUEST);
}

TEST(WorkerFailure, AbortedTrainingHasDiverged) {
  const absl::Status aborted = absl::AbortedError("the loss is nan");
  EXPECT_EQ(Cause(WorkPhase::kTrain, aborted), v1::FAILURE_CAUSE_DIVERGED);
  EXPECT_EQ(Cause(WorkPhase::kUpload, aborted), v1::FAILURE_CAUSE_INTERNAL);
}

TEST(WorkerFailure, TheRestIsAFaultOfMantissa) {
  EXPECT_EQ(Cause(WorkPhase::kTrain, absl::InternalError("?")), v1::FAILURE_CAUSE_INTERNAL);
  EXPECT_EQ(Cause(WorkPhase::kFetch, absl::DataLossError("?")), v1::FAILURE_CAUSE_INTERNAL);
}

}  // namespace
}  // namespace mantissa::engine
