#include "server/engine/worker_failure.h"

#include <string>

#include "absl/strings/match.h"

namespace mantissa::engine {
namespace {

bool IsDiskFull(WorkPhase phase, const absl::Status& status) {
  if (!absl::IsResourceExhausted(status)) return false;
  if (phase == WorkPhase::kFetch || phase == WorkPhase::kUpload) return true;
  // Of this disk: as base/file.h puts ENOSPC and EDQUOT.
  return absl::StrContains(status.message(), "No space left on device") ||
         absl::StrContains(status.message(), "Disk quota exceeded");
}

v1::FailureCause CauseOfInvalid(WorkPhase phase) {
  switch (phase) {
    case WorkPhase::kLoad:
    case WorkPhase::kFit:
      return v1::FAILURE_CAUSE_BAD_DATA;
    case WorkPhase::kPlan:
    case WorkPhase::kModel:
    case WorkPhase::kWeights:
    case WorkPhase::kTrain:
      return v1::FAILURE_CAUSE_BAD_REQUEST;
    default:
      return v1::FAILURE_CAUSE_INTERNAL;
  }
}

v1::FailureCause CauseOf(WorkPhase phase, const absl::Status& status) {
  if (IsDiskFull(phase, status)) return v1::FAILURE_CAUSE_DISK_FULL;
  switch (status.code()) {
    case absl::StatusCode::kInvalidArgument:
      return CauseOfInvalid(phase);
    case absl::StatusCode::kNotFound:
      return phase == WorkPhase::kPlan ? v1::FAILURE_CAUSE_BAD_REQUEST : v1::FAILURE_CAUSE_INTERNAL;
    case absl::StatusCode::kResourceExhausted:
      // Of a reader it is a limit on what the file may hold.
      return phase == WorkPhase::kLoad || phase == WorkPhase::kModel || phase == WorkPhase::kWeights
                 ? CauseOfInvalid(phase)
                 : v1::FAILURE_CAUSE_OUT_OF_MEMORY;
    case absl::StatusCode::kAborted:
      return phase == WorkPhase::kTrain ? v1::FAILURE_CAUSE_DIVERGED : v1::FAILURE_CAUSE_INTERNAL;
    default:
      return v1::FAILURE_CAUSE_INTERNAL;
  }
}

}  // namespace

v1::Failure FailureOf(WorkPhase phase, const absl::Status& status) {
  v1::Failure failure;
  failure.set_cause(CauseOf(phase, status));
  failure.set_message(std::string(status.message()));
  return failure;
}

}  // namespace mantissa::engine
