// server/jobs/job_query.h
//
// What one asks JobStore for and what it answers.
//
//   JobFilter filter{.states = {v1::JOB_STATE_RUNNING}, .labels = {{"team", "vision"}}};
#ifndef MANTISSA_SERVER_JOBS_JOB_QUERY_H_
#define MANTISSA_SERVER_JOBS_JOB_QUERY_H_

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "mantissa/v1/job.pb.h"

namespace mantissa::jobs {

// What ListJobs filters by.
struct JobFilter {
  std::vector<v1::JobState> states;           // empty: all
  std::map<std::string, std::string> labels;  // all of them
  std::string name_prefix;
};

struct JobPage {
  std::vector<v1::Job> jobs;
  // Number of the last job; the next page is older. 0: there is none.
  int64_t next_before = 0;
};

struct QueueState {
  std::map<v1::JobState, int64_t> jobs_by_state;
  // Submission of the oldest pending job.
  std::optional<absl::Time> oldest_pending;
};

}  // namespace mantissa::jobs

#endif  // MANTISSA_SERVER_JOBS_JOB_QUERY_H_
