#include "server/jobs/job_desk.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "base/hash.h"
#include "base/status.h"
#include "base/token.h"
#include "google/protobuf/io/coded_stream.h"
#include "google/protobuf/io/zero_copy_stream_impl_lite.h"
#include "server/jobs/errors.h"
#include "server/jobs/job_rows.h"
#include "server/jobs/job_spec.h"
#include "server/jobs/state_machine.h"
#include "server/jobs/times.h"

namespace mantissa::jobs {
namespace {

// Equal specs have equal hashes; the order of map entries is made the same.
std::string HashOf(const v1::JobSpec& spec) {
  std::string bytes;
  {
    google::protobuf::io::StringOutputStream stream(&bytes);
    google::protobuf::io::CodedOutputStream coded(&stream);
    coded.SetSerializationDeterministic(true);
    spec.SerializeToCodedStream(&coded);
  }
  return Sha256Hex(bytes);
}

absl::Status CheckRequestId(absl::string_view id) {
  if (id.size() <= 128 && std::all_of(id.begin(), id.end(), absl::ascii_isprint)) {
    return absl::OkStatus();
  }
  return Invalid("request_id", absl::StrCat(id.size(), " bytes"),
                 "at most 128 printable ASCII characters", "Use a UUID.");
}

JobEdit NewJob(const v1::JobSpec& spec, absl::Time now) {
  JobEdit edit;
  edit.job.set_id(absl::StrCat("job-", RandomToken(6)));
  *edit.job.mutable_spec() = spec;
  edit.job.set_state(v1::JOB_STATE_PENDING);
  ToProto(now, *edit.job.mutable_create_time());
  v1::JobEvent& event = edit.new_events.emplace_back();
  event.set_sequence(1);
  ToProto(now, *event.mutable_time());
  event.mutable_state_changed()->set_to(v1::JOB_STATE_PENDING);
  edit.job.set_last_sequence(1);
  return edit;
}

}  // namespace

JobDesk::JobDesk(Parts parts, DeskOptions options, std::function<void()> wake)
    : parts_(parts), options_(options), wake_(std::move(wake)) {}

absl::Status JobDesk::CheckAndFill(v1::JobSpec& spec) {
  RETURN_IF_ERROR(CheckAndFillGeneral(spec));
  ASSIGN_OR_RETURN(const v1::Dataset dataset, parts_.datasets.Get(spec.dataset()));
  if (const std::string model = UploadedModelOf(spec); model.empty()) {
    RETURN_IF_ERROR(CheckAndFillFromDataset(dataset, spec));
  } else {
    ASSIGN_OR_RETURN(const v1::Model uploaded, parts_.models.Get(model));
    RETURN_IF_ERROR(CheckAndFillFromModel(uploaded, dataset, spec));
  }
  RETURN_IF_ERROR(CheckAndFillTraining({.policy = spec.precision().policy(),
                                        .train_samples = dataset.train_samples(),
                                        .default_threads = options_.default_threads},
                                       *spec.mutable_training()));
  ASSIGN_OR_RETURN(const v1::Plan plan, parts_.planner.MakePlan(PlanRequestOf(spec)));
  *spec.mutable_model() = plan.model();
  *spec.mutable_precision() = plan.precision();
  const std::string& init = spec.training().init_sha256();
  if (init.empty()) return absl::OkStatus();
  return parts_.blobs.PathOf(init).status();
}

absl::StatusOr<v1::Job> JobDesk::Known(const JobStore::Submitted& known,
                                       absl::string_view request_id,
                                       absl::string_view spec_sha256) {
  if (known.spec_sha256 == spec_sha256) return Get(known.job_id);
  return AlreadyExists("job", known.job_id,
                       absl::StrCat("The request_id ", request_id, " was used for job ",
                                    known.job_id, " with another spec. Use a new request_id."));
}

absl::StatusOr<v1::Job> JobDesk::Submit(const v1::SubmitJobRequest& request) {
  RETURN_IF_ERROR(CheckRequestId(request.request_id()));
  const std::string spec_sha256 = HashOf(request.spec());
  const auto find = [&] { return parts_.store.FindRequest(request.request_id()); };
  if (!request.request_id().empty()) {
    ASSIGN_OR_RETURN(const std::optional<JobStore::Submitted> known, find());
    if (known.has_value()) return Known(*known, request.request_id(), spec_sha256);
  }
  v1::JobSpec spec = request.spec();
  RETURN_IF_ERROR(CheckAndFill(spec));
  const JobEdit edit = NewJob(spec, parts_.clock.Now());
  const absl::Status added =
      parts_.ledger.Add(edit, request.request_id(), spec_sha256, options_.max_pending);
  if (absl::IsAlreadyExists(added) && !request.request_id().empty()) {
    // Another call with the same key was faster.
    ASSIGN_OR_RETURN(const std::optional<JobStore::Submitted> known, find());
    if (known.has_value()) return Known(*known, request.request_id(), spec_sha256);
  }
  RETURN_IF_ERROR(added);
  wake_();
  return Get(edit.job.id());
}

absl::Status JobDesk::AddPendingReason(v1::Job& job) {
  if (job.state() != v1::JOB_STATE_PENDING) return absl::OkStatus();
  ASSIGN_OR_RETURN(const int64_t before, parts_.store.PendingBefore(job.id()));
  const int running = parts_.pool.Count("job-");
  if (running >= options_.max_running || before > 0) {
    job.set_pending_reason(absl::StrCat(running, " of at most ", options_.max_running,
                                        " jobs run; ", before, " wait before this one."));
  } else {
    job.set_pending_reason("It starts in a moment.");
  }
  return absl::OkStatus();
}

absl::StatusOr<v1::Job> JobDesk::Get(absl::string_view id) {
  ASSIGN_OR_RETURN(v1::Job job, parts_.store.Get(id));
  RETURN_IF_ERROR(AddPendingReason(job));
  return job;
}

absl::StatusOr<JobPage> JobDesk::List(const JobFilter& filter, int64_t before, int limit) {
  ASSIGN_OR_RETURN(JobPage page, parts_.store.List(filter, before, limit));
  for (v1::Job& job : page.jobs) RETURN_IF_ERROR(AddPendingReason(job));
  return page;
}

absl::StatusOr<v1::Job> JobDesk::Cancel(absl::string_view id) {
  const absl::StatusOr<v1::Job> job = parts_.ledger.Edit(id, [&](JobEdit& edit) -> absl::Status {
    const v1::JobState state = edit.job.state();
    if (state == v1::JOB_STATE_CANCELLED) return absl::OkStatus();
    if (IsEnd(state)) {
      return Precondition("JOB_ENDED", id,
                          absl::StrCat("Job ", id, " has ended: ", StateName(state),
                                       ". Only a job that has not ended can be cancelled."));
    }
    edit.cancel_requested = true;
    if (state == v1::JOB_STATE_PENDING) {
      ChangeState(v1::JOB_STATE_CANCELLED, parts_.clock.Now(), edit);
    }
    return absl::OkStatus();
  });
  RETURN_IF_ERROR(job);
  parts_.pool.Cancel(id);
  // A job that waited for its next attempt may have left a checkpoint.
  if (IsEnd(job->state())) RETURN_IF_ERROR(parts_.artifacts.RemoveHidden(id));
  wake_();
  return Get(id);
}

absl::StatusOr<EventBatch> JobDesk::EventsAfter(absl::string_view id, int64_t sequence, int limit) {
  EventBatch batch;
  ASSIGN_OR_RETURN(batch.events, parts_.store.EventsAfter(id, sequence, limit));
  if (batch.events.empty()) {
    // The end may have been seen by an earlier call, or there is no such job.
    ASSIGN_OR_RETURN(const JobEdit edit, parts_.store.Load(id));
    batch.ended = IsEnd(edit.job.state()) && edit.job.last_sequence() <= sequence;
    return batch;
  }
  const v1::JobEvent& last = batch.events.back();
  batch.ended = last.has_state_changed() && IsEnd(last.state_changed().to());
  return batch;
}

}  // namespace mantissa::jobs
