#include "server/jobs/state_machine.h"

#include "absl/strings/strip.h"

namespace mantissa::jobs {

bool CanChange(v1::JobState from, v1::JobState to) {
  switch (from) {
    case v1::JOB_STATE_PENDING:
      return to == v1::JOB_STATE_PLANNING || to == v1::JOB_STATE_FAILED ||
             to == v1::JOB_STATE_CANCELLED;
    case v1::JOB_STATE_PLANNING:
      return to == v1::JOB_STATE_RUNNING || to == v1::JOB_STATE_PENDING ||
             to == v1::JOB_STATE_FAILED || to == v1::JOB_STATE_CANCELLED;
    case v1::JOB_STATE_RUNNING:
      return to == v1::JOB_STATE_SUCCEEDED || to == v1::JOB_STATE_PENDING ||
             to == v1::JOB_STATE_FAILED || to == v1::JOB_STATE_CANCELLED;
    default:
      return false;
  }
}

bool IsEnd(v1::JobState state) {
  return state == v1::JOB_STATE_SUCCEEDED || state == v1::JOB_STATE_FAILED ||
         state == v1::JOB_STATE_CANCELLED;
}

absl::string_view StateName(v1::JobState state) {
  return absl::StripPrefix(v1::JobState_Name(state), "JOB_STATE_");
}

}  // namespace mantissa::jobs
