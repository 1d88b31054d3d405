#include "server/engine/worker.h"

#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <new>
#include <optional>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/types/span.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "base/status.h"
#include "mantissa/internal/v1/worker.pb.h"
#include "planner/wire/plan_proto.h"
#include "server/data/dataset.h"
#include "server/data/safetensors.h"
#include "server/engine/fit.h"
#include "server/engine/memory_baselines.h"
#include "server/engine/trainer.h"
#include "server/engine/worker_failure.h"
#include "server/engine/worker_history.h"
#include "server/engine/worker_model.h"
#include "server/engine/worker_observer.h"
#include "server/engine/worker_report.h"
#include "server/engine/worker_sandbox.h"
#include "server/engine/worker_task.h"
#include "server/engine/worker_termination.h"
#include "server/rpc/worker_channel.h"

namespace mantissa::engine {
namespace {

using internal::v1::WorkerReport;

// Of the ten seconds that the server leaves between SIGTERM and SIGKILL, some are for saying so.
constexpr absl::Duration kTerminationGrace = absl::Seconds(3);
// What is read for a server that is gone is asked for again when it is back.
constexpr absl::Duration kSandboxReconnectLimit = absl::Seconds(5);

// Where an uploaded model is, in the worker's folder.
constexpr char kModelFile[] = "model.pt2";

// No core files; and where memory is short, it is the worker that the kernel ends, not the server.
void ProtectTheMachine() {
  const rlimit none = {0, 0};
  if (setrlimit(RLIMIT_CORE, &none) != 0) LogWarning("core files can't be switched off");
  auto score = RealFileSystem().OpenForAppend("/proc/self/oom_score_adj");
  if (!score.ok() || !(*score)->Append("500").ok()) {
    LogInfo("the kernel keeps its own order for ending processes when memory runs out");
  }
}

// Decoded images may take half of the machine's memory, and not more than the readers' default.
int64_t MaxDecodedBytes() {
  const int64_t memory = int64_t{sysconf(_SC_PHYS_PAGES)} * sysconf(_SC_PAGESIZE);
  const int64_t most = data::LoadOptions().max_decoded_bytes;
  return memory > 0 ? std::min(most, memory / 2) : most;
}

// An error, and what the worker was at.
struct WorkError {
  WorkPhase phase;
  absl::Status status;
};

class Worker {
 public:
  // `connected`: as rpc::WorkerChannelOptions has it.
  Worker(const WorkerOptions& options, int connected)
      : options_(options),
        start_(RealClock().Monotonic()),
        channel_({.server = options.server,
                  .task = options.task,
                  .token = options.token,
                  .connected = connected,
                  .reconnect_limit =
                      options.sandboxed ? kSandboxReconnectLimit : options.reconnect_limit}),
        termination_(kTerminationGrace, [this] { EndOverdue(); }) {}

  int Run() {
    absl::StatusOr<internal::v1::Task> task = channel_.GetTask();
    if (!task.ok()) return ExitFor(task.status());
    channel_.StartReporting();
    WorkerReport last;
    try {
      last = Do(*task);
    } catch (const std::bad_alloc&) {
      last = Failed({phase_, absl::ResourceExhaustedError("the machine is out of memory.")});
      last.mutable_failed()->set_cause(v1::FAILURE_CAUSE_OUT_OF_MEMORY);
    }
    if (last.has_cancelled() && !channel_.cancelled()) {
      // Ended by a signal or for want of a server: no last word, so that the job is tried again.
      absl::Status health = channel_.health();
      return health.ok() ? kWorkerTerminated : ExitFor(health);
    }
    absl::Status sent = channel_.Report(std::move(last));
    if (sent.ok()) sent = channel_.Drain();
    return sent.ok() ? kWorkerDone : ExitFor(sent);
  }

 private:
  static int ExitFor(const absl::Status& status) {
    LogError("the worker ends: ", status.ToString());
    return absl::IsUnauthenticated(status) ? kWorkerDisowned : kWorkerAlone;
  }

  WorkerReport Do(const internal::v1::Task& task) {
    if (task.has_train()) return Train(task.train());
    return task.has_inspect_model() ? InspectModel(task.inspect_model()) : Inspect(task.inspect());
  }

  // On the thread of `termination_`: the work did not hear of the signal in time.
  void EndOverdue() {
    if (!channel_.cancelled()) _exit(kWorkerTerminated);
    WorkerReport report;
    report.mutable_cancelled();
    if (channel_.Report(std::move(report)).ok() && channel_.Drain().ok()) _exit(kWorkerDone);
    _exit(kWorkerTerminated);
  }

  std::string Path(absl::string_view name) const { return JoinPath(options_.work_dir, name); }

  bool MustStop() const {
    return channel_.cancelled() || termination_.requested() || !channel_.health().ok();
  }

  WorkerReport Failed(const WorkError& error) const {
    WorkerReport report;
    if (absl::IsCancelled(error.status) || MustStop()) {
      report.mutable_cancelled();
      LogInfo(channel_.cancelled() ? "cancelled" : "ends before the work is done");
      return report;
    }
    *report.mutable_failed() = FailureOf(error.phase, error.status);
    LogError("failed: ", error.status.ToString());
    return report;
  }

  // Fetches the files of a data set and reads them.
  absl::StatusOr<data::LoadedDataset> Load(
      const google::protobuf::RepeatedPtrField<v1::DatasetFile>& files, data::LoadOptions options) {
    phase_ = WorkPhase::kFetch;
    std::vector<data::SourceFile> sources;
    for (const v1::DatasetFile& file : files) {
      const std::string path = Path(absl::StrCat("data-", sources.size()));
      RETURN_IF_ERROR(channel_.ReadBlob(file.sha256(), file.size_bytes(), path));
      if (MustStop()) return absl::CancelledError("cancelled while fetching data");
      sources.push_back({file.name(), path});
    }
    phase_ = WorkPhase::kLoad;
    options.max_decoded_bytes = MaxDecodedBytes();
    ASSIGN_OR_RETURN(data::LoadedDataset data, data::LoadDataset(sources, options));
    for (const data::SourceFile& source : sources) {
      RETURN_IF_ERROR(RealFileSystem().Remove(source.path));
    }
    LogInfo("read ", data.train->size(), " training and ", data.test->size(), " test samples of ",
            data.format, ", ", data.inputs.size(), " inputs, ", data.target.classes, " classes");
    return data;
  }

  WorkerReport Inspect(const internal::v1::InspectTask& task) {
    absl::StatusOr<data::LoadedDataset> data =
        Load(task.request().files(), LoadOptionsOf(task.request()));
    if (!data.ok()) return Failed({phase_, data.status()});
    WorkerReport report;
    *report.mutable_inspected() = DatasetOf(task.request(), *data);
    return report;
  }

  WorkerReport InspectModel(const internal::v1::InspectModelTask& task) {
    const std::string path = Path(kModelFile);
    const absl::Status fetched =
        channel_.ReadBlob(task.request().sha256(), task.request().size_bytes(), path);
    if (!fetched.ok()) return Failed({phase_, fetched});
    phase_ = WorkPhase::kModel;
    absl::StatusOr<internal::v1::InspectedModel> model = engine::InspectModel(task.request(), path);
    if (!model.ok()) return Failed({phase_, model.status()});
    WorkerReport report;
    *report.mutable_model_inspected() = *std::move(model);
    return report;
  }

  WorkerReport Train(const internal::v1::TrainTask& task) {
    LogInfo("job ", task.job_id(), ", attempt ", task.attempt());
    absl::StatusOr<planner::Plan> plan = RebuildPlan(task);
    if (!plan.ok()) return Failed({phase_, plan.status()});
    absl::StatusOr<History> history = History::Open(RealFileSystem(), Path("history.jsonl"));
    if (!history.ok()) return Failed({WorkPhase::kTrain, history.status()});
    JobReport report{.task = task, .history = *history, .plan = *plan};

    WorkerReport last;
    absl::Status status = LoadAndTrain(task, *plan, *history, report);
    if (status.ok()) {
      phase_ = WorkPhase::kUpload;
      status = UploadWeights(plan->request.ema_decay > 0);
    }
    if (status.ok()) status = AddBaselines(*plan, OptionsOf(task, *plan), report);
    if (status.ok()) {
      report.outcome = "succeeded";
      status = UploadRecords(report);
      last.mutable_succeeded();
      if (status.ok()) return last;
    }
    last = Failed({phase_, status});
    if (last.has_cancelled() && !channel_.cancelled()) return last;
    // What there is helps people to see why; the failure itself counts more than a lost report.
    report.outcome = last.has_failed() ? "failed" : "cancelled";
    if (last.has_failed()) report.failure = last.failed();
    absl::Status uploaded = UploadRecords(report);
    if (!uploaded.ok()) LogWarning("records were not kept: ", uploaded.ToString());
    return last;
  }

  // Fetches the model where it is an uploaded one.
  absl::StatusOr<planner::Plan> RebuildPlan(const internal::v1::TrainTask& task) {
    if (task.has_model()) {
      phase_ = WorkPhase::kFetch;
      RETURN_IF_ERROR(
          channel_.ReadBlob(task.model().sha256(), task.model().size_bytes(), Path(kModelFile)));
      phase_ = WorkPhase::kModel;
      ASSIGN_OR_RETURN(uploaded_, ImportModel(Path(kModelFile)));
    }
    phase_ = WorkPhase::kPlan;
    return planner::PlanFromProto(task.plan(), uploaded_);
  }

  TrainingOptions OptionsOf(const internal::v1::TrainTask& task, const planner::Plan& plan) const {
    TrainingOptions options = TrainingOptionsOf(task, plan, options_.threads);
    if (task.has_model()) options.archive_path = Path(kModelFile);
    return options;
  }

  absl::Status UploadWeights(bool with_average) {
    constexpr const char* kFiles[] = {"weights.safetensors", "weights_ema.safetensors"};
    for (const char* name : absl::MakeSpan(kFiles).first(with_average ? 2 : 1)) {
      RETURN_IF_ERROR(channel_.WriteArtifact(name, Path(name), /*hidden=*/false));
    }
    return absl::OkStatus();
  }

  absl::Status LoadAndTrain(const internal::v1::TrainTask& task, planner::Plan& plan,
                            History& history, JobReport& report) {
    RETURN_IF_ERROR(WritePlanJson(RealFileSystem(), Path("plan.json"), task.plan(), history));
    phase_ = WorkPhase::kUpload;
    RETURN_IF_ERROR(channel_.WriteArtifact("plan.json", Path("plan.json"), false));
    ASSIGN_OR_RETURN(data::LoadedDataset data,
                     Load(task.dataset().files(), LoadOptionsOf(task.dataset())));
    TrainingOptions options = OptionsOf(task, plan);
    options.output_dir = options_.work_dir;
    options.device = options_.device;
    phase_ = WorkPhase::kFit;
    RETURN_IF_ERROR(CheckFit(plan, data, options));
    phase_ = WorkPhase::kFetch;
    if (!task.spec().training().init_sha256().empty()) {
      options.init_path = Path("init.safetensors");
      RETURN_IF_ERROR(channel_.ReadBlob(task.spec().training().init_sha256(),
                                        rpc::WorkerChannel::kAnySize, options.init_path));
      phase_ = WorkPhase::kWeights;
      RETURN_IF_ERROR(data::Safetensors::Open(RealFileSystem(), options.init_path).status());
      phase_ = WorkPhase::kFetch;
    }
    WorkerObserver::Options observing{
        .graph = plan.graph,
        .memory_budget_bytes = task.spec().precision().memory_bytes(),
        .load_time = [this] { return RealClock().Monotonic() - start_; },
        .stop = [this] { return termination_.requested(); }};
    if (!task.checkpoint().empty()) {
      RETURN_IF_ERROR(FetchCheckpoint(task.checkpoint(), options, observing.earlier_history));
    }
    phase_ = WorkPhase::kTrain;
    absl::Status status = TrainOnce(plan, data, options, observing, history, report);
    if (absl::IsInvalidArgument(status) && !options.resume_path.empty() && history.empty()) {
      LogWarning("training starts from the first step, the checkpoint is of no use: ",
                 status.message());
      options.resume_path.clear();
      ASSIGN_OR_RETURN(plan, planner::PlanFromProto(task.plan(), uploaded_));
      status = TrainOnce(plan, data, options, observing, history, report);
    }
    return status;
  }

  absl::Status TrainOnce(planner::Plan& plan, const data::LoadedDataset& data,
                         const TrainingOptions& options, const WorkerObserver::Options& observing,
                         History& history, JobReport& report) {
    const absl::Duration begin = RealClock().Monotonic();
    report.load_seconds = absl::ToDoubleSeconds(begin - start_);
    WorkerObserver observer(channel_, history, observing);
    absl::Status status = engine::Train(plan, data, options, observer).status();
    report.train_seconds = absl::ToDoubleSeconds(RealClock().Monotonic() - begin);
    report.evaluation = observer.evaluation();
    report.memory = observer.memory();
    slowest_step_seconds_ = observer.slowest_step_seconds();
    return status;
  }

  // Of a job whose work is safe: what it would have needed otherwise.
  absl::Status AddBaselines(const planner::Plan& plan, const TrainingOptions& options,
                            JobReport& report) {
    if (!report.memory) return absl::OkStatus();
    const BaselineOptions limits = {.slowest_step_seconds = slowest_step_seconds_,
                                    .stop = [this] { return MustStop(); }};
    for (const BaselineMemory& baseline : MeasureBaselines(plan, options, limits)) {
      v1::MemoryBaseline& entry = *report.memory->add_baselines();
      entry.set_name(baseline.name);
      entry.set_peak_bytes(baseline.peak_bytes);
      entry.set_measured(baseline.measured);
    }
    WorkerReport told;
    *told.mutable_memory_measured() = *report.memory;
    return channel_.Report(std::move(told));
  }

  // Sets `options.resume_path` and the history up to there, if the server still has both.
  absl::Status FetchCheckpoint(const std::string& name, TrainingOptions& options,
                               std::string& history) {
    const std::string path = Path("resume.safetensors"), lines = Path("resume.jsonl");
    absl::Status status = channel_.ReadArtifact(name, path);
    if (status.ok()) status = channel_.ReadArtifact(kCheckpointHistoryArtifact, lines);
    if (absl::IsNotFound(status)) {
      LogWarning("the checkpoint is gone: training starts from the first step");
      return absl::OkStatus();
    }
    RETURN_IF_ERROR(status);
    ASSIGN_OR_RETURN(history, RealFileSystem().Read(lines));
    options.resume_path = path;
    return absl::OkStatus();
  }

  absl::Status UploadRecords(const JobReport& report) {
    RETURN_IF_ERROR(WriteReportJson(RealFileSystem(), Path("report.json"), report));
    RETURN_IF_ERROR(
        WritePlanJson(RealFileSystem(), Path("plan.json"), report.task.plan(), report.history));
    for (const char* name : {"history.jsonl", "plan.json", "report.json"}) {
      RETURN_IF_ERROR(channel_.WriteArtifact(name, Path(name), /*hidden=*/false));
    }
    return absl::OkStatus();
  }

  const WorkerOptions& options_;
  const absl::Duration start_;
  rpc::WorkerChannel channel_;
  Termination termination_;
  WorkPhase phase_ = WorkPhase::kFetch;
  // The graph of the job's model, where that was uploaded.
  planner::UploadedGraph uploaded_;
  double slowest_step_seconds_ = 0;
};

}  // namespace

int RunWorker(const WorkerOptions& options) {
  ProtectTheMachine();
  if (!options.sandboxed) return Worker(options, rpc::WorkerChannelOptions().connected).Run();
  const absl::StatusOr<int> connected = EnterSandbox(options.server, options.work_dir);
  if (connected.ok()) return Worker(options, *connected).Run();
  LogError(connected.status().message());
  return kWorkerUsage;
}

}  // namespace mantissa::engine
