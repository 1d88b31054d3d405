// server/jobs/job_rows.h
//
// The columns of a job and the bindings between them and JobEdit: job_store's SQL in one place.
#ifndef MANTISSA_SERVER_JOBS_JOB_ROWS_H_
#define MANTISSA_SERVER_JOBS_JOB_ROWS_H_

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "server/jobs/database.h"
#include "server/jobs/job_edit.h"
#include "server/jobs/job_query.h"

namespace mantissa::jobs {

// The columns that ReadJob expects, in order, after SELECT.
extern const char kJobColumns[];

JobEdit ReadJob(const Rows& rows);

// The name of the uploaded model that a job trains; empty for a built-in one.
std::string UploadedModelOf(const v1::JobSpec& spec);

// Each REQUIRES a transaction.
absl::Status InsertJob(Database& db, const JobEdit& edit);
absl::Status UpdateJob(Database& db, const JobEdit& edit);
absl::Status InsertEvents(Database& db, const JobEdit& edit);
absl::Status PutPlan(Database& db, absl::string_view job, const v1::Plan& plan);
absl::Status PutMemory(Database& db, absl::string_view job, const v1::JobMemory& memory);

// Adds the summaries of plan and memory and the visible artifacts.
absl::Status AddDetails(Database& db, v1::Job& job);

// The newest jobs that pass a filter and were submitted before number `before` (0: any).
absl::StatusOr<Rows> SelectJobs(Database& db, const JobFilter& filter, int64_t before, int limit);

}  // namespace mantissa::jobs

#endif  // MANTISSA_SERVER_JOBS_JOB_ROWS_H_
