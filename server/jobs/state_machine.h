// server/jobs/state_machine.h
//
// The states of a job and the ways between them.
//
//   PENDING  -> PLANNING, FAILED, CANCELLED
//   PLANNING -> RUNNING, PENDING, FAILED, CANCELLED    (PENDING: the worker died and is retried)
//   RUNNING  -> SUCCEEDED, PENDING, FAILED, CANCELLED
//   SUCCEEDED, FAILED, CANCELLED: ends
#ifndef MANTISSA_SERVER_JOBS_STATE_MACHINE_H_
#define MANTISSA_SERVER_JOBS_STATE_MACHINE_H_

#include "absl/strings/string_view.h"
#include "mantissa/v1/job.pb.h"

namespace mantissa::jobs {

bool CanChange(v1::JobState from, v1::JobState to);

// Whether no other state follows.
bool IsEnd(v1::JobState state);

// "RUNNING" for JOB_STATE_RUNNING.
absl::string_view StateName(v1::JobState state);

}  // namespace mantissa::jobs

#endif  // MANTISSA_SERVER_JOBS_STATE_MACHINE_H_
