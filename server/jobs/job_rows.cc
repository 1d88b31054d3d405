#include "server/jobs/job_rows.h"

#include <set>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "base/status.h"
#include "server/jobs/times.h"

namespace mantissa::jobs {

const char kJobColumns[] =
    "number, id, state, spec_proto, progress_proto, failure_proto, create_time, start_time, "
    "end_time, attempt, retries, last_sequence, cancel_requested, checkpoint, "
    "checkpoint_progress_proto";

JobEdit ReadJob(const Rows& rows) {
  JobEdit edit;
  v1::Job& job = edit.job;
  job.set_id(rows.Text(1));
  job.set_state(static_cast<v1::JobState>(rows.Int(2)));
  job.mutable_spec()->ParseFromString(rows.Text(3));
  const std::string progress = rows.Text(4);
  if (!progress.empty()) job.mutable_progress()->ParseFromString(progress);
  const std::string failure = rows.Text(5);
  if (!failure.empty()) job.mutable_failure()->ParseFromString(failure);
  const auto read_time = [&](int column, google::protobuf::Timestamp* (v1::Job::*field)()) {
    if (rows.Int(column) != 0) ToProto(absl::FromUnixNanos(rows.Int(column)), *(job.*field)());
  };
  read_time(6, &v1::Job::mutable_create_time);
  read_time(7, &v1::Job::mutable_start_time);
  read_time(8, &v1::Job::mutable_end_time);
  job.set_attempt(static_cast<int32_t>(rows.Int(9)));
  edit.retries = static_cast<int32_t>(rows.Int(10));
  job.set_last_sequence(rows.Int(11));
  edit.cancel_requested = rows.Int(12) != 0;
  edit.checkpoint = rows.Text(13);
  edit.checkpoint_progress.ParseFromString(rows.Text(14));
  return edit;
}

std::string UploadedModelOf(const v1::JobSpec& spec) {
  const std::string& name = spec.model().model();
  return absl::StrContains(name, ':') ? "" : name;
}

absl::Status InsertJob(Database& db, const JobEdit& edit) {
  const v1::Job& job = edit.job;
  RETURN_IF_ERROR(
      db.Run("INSERT INTO jobs(id, name, state, dataset, init_sha256, spec_proto, create_time, "
             "last_sequence, model) VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?)",
             job.id(), job.spec().name(), int64_t{job.state()}, job.spec().dataset(),
             job.spec().training().init_sha256(), Blob{job.spec().SerializeAsString()},
             ToStored(job.create_time()), job.last_sequence(), UploadedModelOf(job.spec())));
  for (const auto& [key, value] : job.spec().labels()) {
    RETURN_IF_ERROR(
        db.Run("INSERT INTO job_labels(job, key, value) VALUES(?, ?, ?)", job.id(), key, value));
  }
  return absl::OkStatus();
}

absl::Status UpdateJob(Database& db, const JobEdit& edit) {
  const v1::Job& job = edit.job;
  const auto bytes = [](bool present, const google::protobuf::Message& message) {
    return present ? message.SerializeAsString() : std::string();
  };
  return db.Run(
      "UPDATE jobs SET state = ?, progress_proto = ?, failure_proto = ?, start_time = ?, "
      "end_time = ?, attempt = ?, retries = ?, last_sequence = ?, cancel_requested = ?, "
      "checkpoint = ?, checkpoint_progress_proto = ? WHERE id = ?",
      int64_t{job.state()}, Blob{bytes(job.has_progress(), job.progress())},
      Blob{bytes(job.has_failure(), job.failure())}, ToStored(job.start_time()),
      ToStored(job.end_time()), int64_t{job.attempt()}, int64_t{edit.retries}, job.last_sequence(),
      int64_t{edit.cancel_requested}, edit.checkpoint,
      Blob{edit.checkpoint_progress.SerializeAsString()}, job.id());
}

absl::Status InsertEvents(Database& db, const JobEdit& edit) {
  for (const v1::JobEvent& event : edit.new_events) {
    RETURN_IF_ERROR(db.Run("INSERT INTO events(job, sequence, event_proto) VALUES(?, ?, ?)",
                           edit.job.id(), event.sequence(), Blob{event.SerializeAsString()}));
  }
  return absl::OkStatus();
}

absl::Status PutPlan(Database& db, absl::string_view job, const v1::Plan& plan) {
  v1::Plan summary = plan;
  summary.clear_tensors();
  if (summary.has_memory()) summary.mutable_memory()->clear_timeline();
  return db.Run("INSERT OR REPLACE INTO plans(job, summary_proto, plan_proto) VALUES(?, ?, ?)", job,
                Blob{summary.SerializeAsString()}, Blob{plan.SerializeAsString()});
}

absl::Status PutMemory(Database& db, absl::string_view job, const v1::JobMemory& memory) {
  return db.Run("INSERT OR REPLACE INTO memories(job, summary_proto, memory_proto) VALUES(?, ?, ?)",
                job, Blob{SummaryOf(memory).SerializeAsString()}, Blob{memory.SerializeAsString()});
}

absl::Status AddDetails(Database& db, v1::Job& job) {
  ASSIGN_OR_RETURN(Rows plan, db.Query("SELECT summary_proto FROM plans WHERE job = ?", job.id()));
  if (plan.Next()) job.mutable_plan()->ParseFromString(plan.Text(0));
  RETURN_IF_ERROR(plan.status());
  ASSIGN_OR_RETURN(Rows memory,
                   db.Query("SELECT summary_proto FROM memories WHERE job = ?", job.id()));
  if (memory.Next()) job.mutable_memory()->ParseFromString(memory.Text(0));
  RETURN_IF_ERROR(memory.status());
  ASSIGN_OR_RETURN(Rows files,
                   db.Query("SELECT name, size, sha256 FROM artifacts WHERE job = ? AND hidden = 0 "
                            "ORDER BY name",
                            job.id()));
  while (files.Next()) {
    v1::Artifact& artifact = *job.add_artifacts();
    artifact.set_name(files.Text(0));
    artifact.set_size_bytes(files.Int(1));
    artifact.set_sha256(files.Text(2));
  }
  return files.status();
}

absl::StatusOr<Rows> SelectJobs(Database& db, const JobFilter& filter, int64_t before, int limit) {
  // Statements are kept by their text: numbers go in as bound texts, so that few texts arise.
  std::string sql = absl::StrCat("SELECT ", kJobColumns, " FROM jobs WHERE 1");
  std::vector<std::string> texts;
  if (before > 0) {
    sql += " AND number < CAST(? AS INTEGER)";
    texts.push_back(absl::StrCat(before));
  }
  if (!filter.states.empty()) {
    const std::set<int> states(filter.states.begin(), filter.states.end());
    absl::StrAppend(&sql, " AND state IN (", absl::StrJoin(states, ", "), ")");
  }
  if (!filter.name_prefix.empty()) {
    sql += " AND substr(name, 1, length(?)) = ?";
    texts.insert(texts.end(), 2, filter.name_prefix);
  }
  for (const auto& [key, value] : filter.labels) {
    sql += " AND id IN (SELECT job FROM job_labels WHERE key = ? AND value = ?)";
    texts.push_back(key);
    texts.push_back(value);
  }
  sql += " ORDER BY number DESC LIMIT CAST(? AS INTEGER)";
  texts.push_back(absl::StrCat(limit));
  return db.QueryTexts(sql, texts);
}

}  // namespace mantissa::jobs
