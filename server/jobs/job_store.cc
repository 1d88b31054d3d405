#include "server/jobs/job_store.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "base/status.h"
#include "server/jobs/errors.h"
#include "server/jobs/job_rows.h"
#include "server/jobs/state_machine.h"
#include "server/jobs/times.h"

namespace mantissa::jobs {
namespace {

absl::Status NoSuchJob(absl::string_view id) {
  return NotFound("job", id, "ListJobs tells which there are.");
}

absl::StatusOr<JobEdit> LoadJob(Database& db, absl::string_view id) {
  ASSIGN_OR_RETURN(Rows rows,
                   db.Query(absl::StrCat("SELECT ", kJobColumns, " FROM jobs WHERE id = ?"), id));
  if (rows.Next()) return ReadJob(rows);
  RETURN_IF_ERROR(rows.status());
  return NoSuchJob(id);
}

// `name` is empty for a built-in model.
absl::Status CheckModelIsThere(Database& db, const v1::ModelSpec& spec, const std::string& name) {
  if (name.empty()) return absl::OkStatus();
  ASSIGN_OR_RETURN(Rows model, db.Query("SELECT 1 FROM models WHERE name = ? AND sha256 = ?", name,
                                        spec.sha256()));
  if (model.Next()) return absl::OkStatus();
  RETURN_IF_ERROR(model.status());
  return NotFound("model", name, "It was deleted just now.");
}

}  // namespace

absl::StatusOr<std::optional<JobStore::Submitted>> JobStore::FindRequest(
    absl::string_view request_id) {
  absl::MutexLock lock(&state_.mutex());
  ASSIGN_OR_RETURN(
      Rows rows,
      state_.db().Query("SELECT job, spec_sha256 FROM requests WHERE request_id = ?", request_id));
  std::optional<Submitted> found;
  if (rows.Next()) found = Submitted{rows.Text(0), rows.Text(1)};
  RETURN_IF_ERROR(rows.status());
  return found;
}

absl::Status JobStore::Insert(const JobEdit& edit, absl::string_view request_id,
                              absl::string_view spec_sha256) {
  absl::MutexLock lock(&state_.mutex());
  Database& db = state_.db();
  Transaction transaction(db);
  {
    ASSIGN_OR_RETURN(Rows dataset,
                     db.Query("SELECT 1 FROM datasets WHERE name = ?", edit.job.spec().dataset()));
    if (!dataset.Next()) {
      RETURN_IF_ERROR(dataset.status());
      return NotFound("dataset", edit.job.spec().dataset(), "It was deleted just now.");
    }
  }
  RETURN_IF_ERROR(CheckModelIsThere(db, edit.job.spec().model(), UploadedModelOf(edit.job.spec())));
  RETURN_IF_ERROR(InsertJob(db, edit));
  RETURN_IF_ERROR(InsertEvents(db, edit));
  if (!request_id.empty()) {
    RETURN_IF_ERROR(db.Run("INSERT INTO requests(request_id, job, spec_sha256) VALUES(?, ?, ?)",
                           request_id, edit.job.id(), spec_sha256));
  }
  return transaction.Commit();
}

absl::StatusOr<JobEdit> JobStore::Load(absl::string_view id) {
  absl::MutexLock lock(&state_.mutex());
  return LoadJob(state_.db(), id);
}

absl::Status JobStore::Save(const JobEdit& edit) {
  absl::MutexLock lock(&state_.mutex());
  Database& db = state_.db();
  Transaction transaction(db);
  RETURN_IF_ERROR(UpdateJob(db, edit));
  RETURN_IF_ERROR(InsertEvents(db, edit));
  if (edit.new_plan.has_value()) RETURN_IF_ERROR(PutPlan(db, edit.job.id(), *edit.new_plan));
  if (edit.new_memory.has_value()) {
    RETURN_IF_ERROR(PutMemory(db, edit.job.id(), *edit.new_memory));
  }
  if (edit.last_report > 0) {
    RETURN_IF_ERROR(db.Run("UPDATE workers SET last_report = ? WHERE task = ? AND attempt = ?",
                           edit.last_report, edit.job.id(), int64_t{edit.job.attempt()}));
  }
  return transaction.Commit();
}

absl::StatusOr<v1::Job> JobStore::Get(absl::string_view id) {
  absl::MutexLock lock(&state_.mutex());
  ASSIGN_OR_RETURN(JobEdit edit, LoadJob(state_.db(), id));
  RETURN_IF_ERROR(AddDetails(state_.db(), edit.job));
  return std::move(edit.job);
}

absl::StatusOr<JobPage> JobStore::List(const JobFilter& filter, int64_t before, int limit) {
  absl::MutexLock lock(&state_.mutex());
  JobPage page;
  int64_t last = 0;
  size_t bytes = 0;
  {
    ASSIGN_OR_RETURN(Rows rows, SelectJobs(state_.db(), filter, before, limit + 1));
    while (rows.Next()) {
      if (static_cast<int>(page.jobs.size()) == limit || bytes >= kMaxPageBytes) {
        page.next_before = last;
        break;
      }
      last = rows.Int(0);
      page.jobs.push_back(ReadJob(rows).job);
      bytes += page.jobs.back().ByteSizeLong();
    }
    RETURN_IF_ERROR(rows.status());
  }
  for (v1::Job& job : page.jobs) {
    RETURN_IF_ERROR(AddDetails(state_.db(), job));
    job.mutable_plan()->clear_groups();
    job.mutable_plan()->clear_recompute();
    if (job.plan().total_elements() == 0) job.clear_plan();
  }
  return page;
}

absl::StatusOr<std::vector<v1::JobEvent>> JobStore::EventsAfter(absl::string_view id,
                                                                int64_t sequence, int limit) {
  absl::MutexLock lock(&state_.mutex());
  ASSIGN_OR_RETURN(Rows rows, state_.db().Query("SELECT event_proto FROM events WHERE job = ? AND "
                                                "sequence > ? ORDER BY sequence LIMIT ?",
                                                id, sequence, int64_t{limit}));
  std::vector<v1::JobEvent> events;
  size_t bytes = 0;
  while (bytes < kMaxPageBytes && rows.Next()) {
    const std::string event = rows.Text(0);
    bytes += event.size();
    events.emplace_back().ParseFromString(event);
  }
  RETURN_IF_ERROR(rows.status());
  return events;
}

absl::StatusOr<v1::Plan> JobStore::PlanOf(absl::string_view id) {
  absl::MutexLock lock(&state_.mutex());
  ASSIGN_OR_RETURN(Rows rows, state_.db().Query("SELECT plan_proto FROM plans WHERE job = ?", id));
  v1::Plan plan;
  if (rows.Next()) {
    plan.ParseFromString(rows.Text(0));
    return plan;
  }
  RETURN_IF_ERROR(rows.status());
  return NotFound("plan of job", id, "It is made when the job starts.");
}

absl::StatusOr<v1::JobMemory> JobStore::MemoryOf(absl::string_view id) {
  absl::MutexLock lock(&state_.mutex());
  ASSIGN_OR_RETURN(const JobEdit edit, LoadJob(state_.db(), id));
  ASSIGN_OR_RETURN(Rows rows,
                   state_.db().Query("SELECT memory_proto FROM memories WHERE job = ?", id));
  v1::JobMemory memory;
  if (rows.Next()) {
    memory.ParseFromString(rows.Text(0));
    return memory;
  }
  RETURN_IF_ERROR(rows.status());
  const char* when = IsEnd(edit.job.state()) ? "; it ended before its first steps were done."
                                             : " yet. It is after its second step.";
  return Precondition("MEMORY_NOT_MEASURED", id,
                      absl::StrCat("The memory of job ", id, " was not measured", when));
}

absl::StatusOr<std::vector<std::string>> JobStore::IdsIn(v1::JobState state) {
  absl::MutexLock lock(&state_.mutex());
  ASSIGN_OR_RETURN(
      Rows rows,
      state_.db().Query("SELECT id FROM jobs WHERE state = ? ORDER BY number", int64_t{state}));
  std::vector<std::string> ids;
  while (rows.Next()) ids.push_back(rows.Text(0));
  RETURN_IF_ERROR(rows.status());
  return ids;
}

absl::StatusOr<QueueState> JobStore::Queue() {
  absl::MutexLock lock(&state_.mutex());
  ASSIGN_OR_RETURN(Rows rows,
                   state_.db().Query("SELECT state, count(*), min(create_time) FROM jobs "
                                     "GROUP BY state"));
  QueueState queue;
  while (rows.Next()) {
    const auto state = static_cast<v1::JobState>(rows.Int(0));
    queue.jobs_by_state[state] = rows.Int(1);
    if (state == v1::JOB_STATE_PENDING) queue.oldest_pending = absl::FromUnixNanos(rows.Int(2));
  }
  RETURN_IF_ERROR(rows.status());
  return queue;
}

absl::StatusOr<int64_t> JobStore::PendingBefore(absl::string_view id) {
  absl::MutexLock lock(&state_.mutex());
  ASSIGN_OR_RETURN(Rows rows,
                   state_.db().Query("SELECT count(*) FROM jobs WHERE state = ? AND number < "
                                     "(SELECT number FROM jobs WHERE id = ?)",
                                     int64_t{v1::JOB_STATE_PENDING}, id));
  const int64_t count = rows.Next() ? rows.Int(0) : 0;
  RETURN_IF_ERROR(rows.status());
  return count;
}

}  // namespace mantissa::jobs
