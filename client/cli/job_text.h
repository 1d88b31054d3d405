// client/cli/job_text.h
//
// Jobs as text for people. Nothing here is made printable yet: tables and RenderFacts do that.

#ifndef MANTISSA_CLIENT_CLI_JOB_TEXT_H_
#define MANTISSA_CLIENT_CLI_JOB_TEXT_H_

#include <string>

#include "absl/time/time.h"
#include "google/protobuf/timestamp.pb.h"
#include "mantissa/v1/job.pb.h"

namespace mantissa::cli {

// The infinite past for a time that is not set.
absl::Time TimeOf(const google::protobuf::Timestamp& time);

// "RUNNING".
std::string StateName(v1::JobState state);
// "activation".
std::string KindName(v1::TensorKind kind);
// "demotion 0.5", "operator", "demotion within 8.0 GiB".
std::string PolicyText(const v1::PrecisionSpec& precision);
// "OUT_OF_MEMORY: the worker ...".
std::string FailureText(const v1::Failure& failure);
// How long it has run, or ran.
absl::Duration RunTime(const v1::Job& job, absl::Time now);

// `mantissa get`: everything, printable.
std::string JobText(const v1::Job& job, absl::Time now);
// One line that says how it ended, not yet printable.
std::string ResultText(const v1::Job& job, absl::Time now);

}  // namespace mantissa::cli

#endif  // MANTISSA_CLIENT_CLI_JOB_TEXT_H_
