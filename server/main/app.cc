#include "server/main/app.h"

#include <unistd.h>

#include <algorithm>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "base/status.h"
#include "base/version.h"
#include "server/jobs/dataset_desk.h"
#include "server/jobs/job_desk.h"
#include "server/jobs/job_runner.h"
#include "server/jobs/model_desk.h"
#include "server/jobs/state_database.h"
#include "server/jobs/state_machine.h"
#include "server/jobs/supervisor.h"
#include "server/main/data_lock.h"
#include "server/main/listen_address.h"
#include "server/metrics/exporter.h"
#include "server/metrics/job_metrics.h"
#include "server/rpc/dataset_service.h"
#include "server/rpc/job_service.h"
#include "server/rpc/model_service.h"
#include "server/rpc/planner_service.h"
#include "server/rpc/planning.h"
#include "server/rpc/rpc_server.h"
#include "server/rpc/server_service.h"
#include "server/rpc/worker_service.h"

namespace mantissa::server {
namespace {

using metrics::Metric;

constexpr int kHandlerThreads = 8;
constexpr size_t kMaxWaitingCalls = 1000;
// Longest path of a Unix socket, in bytes.
constexpr size_t kMaxSocketPath = 107;
// How long calls that run may take to end at a stop. Watches never end by themselves.
constexpr absl::Duration kStopGrace = absl::Milliseconds(500);

// Path of the worker program. In a build tree it is in the engine's folder.
absl::StatusOr<std::string> FindWorker(const std::string& given, FileSystem& files) {
  if (!given.empty()) {
    if (files.Exists(given)) return given;
    return absl::NotFoundError(
        absl::StrCat("--worker is ", given, ", which is not there. Name the program."));
  }
  char self[4096];
  const ssize_t length = readlink("/proc/self/exe", self, sizeof(self));
  const std::string folder = ParentPath(absl::string_view(self, std::max<ssize_t>(length, 0)));
  for (const char* place : {"mantissa-worker", "../engine/mantissa-worker"}) {
    const std::string path = JoinPath(folder, place);
    if (files.Exists(path)) return path;
  }
  return absl::NotFoundError(absl::StrCat("There is no mantissa-worker beside this program in ",
                                          folder, ". Name it with --worker."));
}

absl::Status CheckExposure(const Config& config, const ListenAddress& address,
                           const std::string& token) {
  if (config.tls_cert.empty() != config.tls_key.empty()) {
    return absl::FailedPreconditionError(
        "--tls-cert and --tls-key belong together. Set both or none.");
  }
  if (address.IsLoopback() || (!config.tls_cert.empty() && !token.empty())) {
    return absl::OkStatus();
  }
  return absl::FailedPreconditionError(absl::StrCat(
      "--listen ", address.Text(),
      " is reachable from other machines; that needs both TLS and a token. Set --tls-cert, "
      "--tls-key and --token-file, or listen on 127.0.0.1."));
}

int32_t ThreadsOf(const Config& config) {
  if (config.worker_threads > 0) return static_cast<int32_t>(config.worker_threads);
  const int64_t cores = std::max(1u, std::thread::hardware_concurrency());
  return static_cast<int32_t>(std::max<int64_t>(1, cores / config.max_running_jobs));
}

std::string SocketPath(const Config& config) { return JoinPath(config.data_dir, "worker.sock"); }

// Makes data_dir absolute, since workers have a folder of their own.
absl::Status PrepareFolders(FileSystem& files, Config& config) {
  if (config.data_dir.empty()) {
    return InvalidField("data-dir", "not set", "a folder", "Use --data-dir DIR.");
  }
  for (const char* folder : {"blobs", "jobs", "work"}) {
    RETURN_IF_ERROR(files.MakeFolders(JoinPath(config.data_dir, folder)));
  }
  if (config.data_dir[0] != '/') {
    char here[4096];
    if (getcwd(here, sizeof(here)) == nullptr)
      return absl::NotFoundError("There is no folder here.");
    config.data_dir = JoinPath(here, config.data_dir);
  }
  if (SocketPath(config).size() <= kMaxSocketPath) return absl::OkStatus();
  return InvalidField(
      "data-dir", config.data_dir,
      absl::StrCat("an absolute path of at most ", kMaxSocketPath - sizeof("/worker.sock") + 1,
                   " bytes, since workers call through a Unix socket in it"),
      "Use a folder nearer to the root, or a short link to it.");
}

jobs::WorkerOptions WorkerOptionsOf(const Config& config, const std::string& program) {
  return {.program = program,
          .server_address = absl::StrCat("unix:", SocketPath(config)),
          .device = config.device,
          .work_dir = JoinPath(config.data_dir, "work"),
          .lost_after = config.lost_worker_after,
          .cancel_grace = config.cancel_grace};
}

}  // namespace

// In the order in which they are made; taken apart backwards.
struct App::Parts {
  Parts(const Config& config_in, const std::string& worker,
        std::unique_ptr<jobs::StateDatabase> state_in, std::unique_ptr<DataLock> lock_in)
      : config(config_in),
        lock(std::move(lock_in)),
        state(std::move(state_in)),
        pool(workers, files, clock, notifier, observer, WorkerOptionsOf(config_in, worker)) {}

  absl::StatusOr<v1::ServerInfo> Info();
  void Refresh();

  const Config config;
  const std::unique_ptr<DataLock> lock;
  FileSystem& files = RealFileSystem();
  Clock& clock = RealClock();
  metrics::Metrics metrics;
  metrics::JobMetrics observer{metrics, clock};
  const std::unique_ptr<jobs::StateDatabase> state;
  jobs::Notifier notifier;
  jobs::JobStore store{*state};
  jobs::WorkerStore workers{*state};
  jobs::DatasetStore datasets{*state};
  jobs::ModelStore models{*state};
  jobs::BlobStore blobs{*state,
                        files,
                        clock,
                        JoinPath(config.data_dir, "blobs"),
                        {.max_blob_bytes = config.max_blob_bytes,
                         .reserve_bytes = config.reserve_disk_bytes,
                         .unused_keep = config.unused_blob_keep}};
  jobs::ArtifactStore artifacts{*state, files, config.data_dir, config.reserve_disk_bytes / 2};
  jobs::JobLedger ledger{store, notifier, observer};
  rpc::WirePlanner planner{models};
  jobs::WorkerPool pool;
  jobs::Inspections inspections{
      pool,
      clock,
      {.timeout = config.inspect_timeout, .log_path = JoinPath(config.data_dir, "inspect.log")}};
  jobs::JobRunner runner{
      {store, ledger, workers, pool, datasets, models, artifacts, planner, files, clock, observer},
      {.max_running = static_cast<int>(config.max_running_jobs),
       .data_dir = config.data_dir,
       .retry_delay = config.retry_delay}};
  jobs::Supervisor supervisor{pool, runner, inspections, blobs, clock};
  jobs::JobDesk desk{{store, ledger, datasets, models, blobs, artifacts, pool, planner, clock},
                     {.max_running = static_cast<int>(config.max_running_jobs),
                      .max_pending = config.max_queued_jobs,
                      .default_threads = ThreadsOf(config)},
                     [this] { supervisor.Wake(); }};
  jobs::DatasetDesk dataset_desk{datasets, blobs, inspections, clock};
  jobs::ModelDesk model_desk{models, blobs, inspections, clock};
  rpc::WorkerDesk worker_desk{pool, runner, inspections};

  rpc::Executor executor{kHandlerThreads, kMaxWaitingCalls};
  rpc::JobService job_service{{desk, artifacts, notifier, files, config.data_dir}, executor};
  rpc::DatasetService dataset_service{{dataset_desk, datasets, blobs, observer}, executor};
  rpc::PlannerService planner_service{planner, executor};
  rpc::ModelService model_service{{model_desk, models, planner}, executor};
  rpc::ServerService server_service{[this] { return Info(); }, executor};
  rpc::WorkerService worker_service{{worker_desk, blobs, artifacts, notifier, files}, executor};
  std::unique_ptr<rpc::RpcServer> worker_server, api_server;
  std::unique_ptr<metrics::Exporter> exporter;
};

absl::StatusOr<v1::ServerInfo> App::Parts::Info() {
  ASSIGN_OR_RETURN(jobs::QueueState queue, store.Queue());
  v1::ServerInfo info;
  info.set_version(kVersion);
  info.add_api_versions("v1");
  info.set_max_running_jobs(static_cast<int32_t>(config.max_running_jobs));
  info.set_max_queued_jobs(static_cast<int32_t>(config.max_queued_jobs));
  info.set_max_blob_bytes(config.max_blob_bytes);
  info.set_max_message_bytes(rpc::kMaxMessageBytes);
  info.set_running_jobs(static_cast<int32_t>(queue.jobs_by_state[v1::JOB_STATE_PLANNING] +
                                             queue.jobs_by_state[v1::JOB_STATE_RUNNING]));
  info.set_queued_jobs(static_cast<int32_t>(queue.jobs_by_state[v1::JOB_STATE_PENDING]));
  ASSIGN_OR_RETURN(const int64_t free, blobs.FreeBytes());
  info.set_free_disk_bytes(free);
  return info;
}

void App::Parts::Refresh() {
  absl::StatusOr<jobs::QueueState> queue = store.Queue();
  if (queue.ok()) {
    for (int state = v1::JOB_STATE_PENDING; state <= v1::JOB_STATE_CANCELLED; ++state) {
      const auto value = static_cast<v1::JobState>(state);
      metrics.Set(Metric::kJobs, {std::string(jobs::StateName(value))},
                  static_cast<double>(queue->jobs_by_state[value]));
    }
    const absl::Duration age = queue->oldest_pending.has_value()
                                   ? clock.Now() - *queue->oldest_pending
                                   : absl::ZeroDuration();
    metrics.Set(Metric::kQueueAge, {}, absl::ToDoubleSeconds(age));
  }
  const absl::StatusOr<int64_t> free = blobs.FreeBytes();
  if (free.ok()) metrics.Set(Metric::kFreeDisk, {}, static_cast<double>(*free));
}

App::App() = default;
App::~App() { Stop(); }

absl::StatusOr<std::unique_ptr<App>> App::Start(const Config& given, const std::string& token) {
  Config config = given;
  FileSystem& files = RealFileSystem();
  ASSIGN_OR_RETURN(const ListenAddress address, ParseListenAddress("listen", config.listen));
  ASSIGN_OR_RETURN(const ListenAddress metrics_address,
                   ParseListenAddress("metrics-listen", config.metrics_listen));
  RETURN_IF_ERROR(CheckExposure(config, address, token));
  ASSIGN_OR_RETURN(const std::string worker, FindWorker(config.worker, files));
  RETURN_IF_ERROR(PrepareFolders(files, config));
  ASSIGN_OR_RETURN(std::unique_ptr<DataLock> lock, DataLock::Take(config.data_dir));
  ASSIGN_OR_RETURN(std::unique_ptr<jobs::StateDatabase> state,
                   jobs::StateDatabase::Open(JoinPath(config.data_dir, "state.db")));
  rpc::CredentialOptions credentials{.token = token};
  if (!config.tls_cert.empty()) {
    ASSIGN_OR_RETURN(credentials.tls_cert, files.Read(config.tls_cert, 1 << 20));
    ASSIGN_OR_RETURN(credentials.tls_key, files.Read(config.tls_key, 1 << 20));
  }
  std::unique_ptr<App> app(new App());
  app->parts_ = std::make_unique<Parts>(config, worker, std::move(state), std::move(lock));
  Parts& p = *app->parts_;
  ASSIGN_OR_RETURN(p.worker_server,
                   rpc::RpcServer::Start(
                       {.address = absl::StrCat("unix:", SocketPath(config)), .public_api = false},
                       {&p.worker_service}, p.metrics, p.clock));
  RETURN_IF_ERROR(p.supervisor.Start());
  ASSIGN_OR_RETURN(p.api_server,
                   rpc::RpcServer::Start({.address = address.Text(), .credentials = credentials},
                                         {&p.job_service, &p.dataset_service, &p.planner_service,
                                          &p.model_service, &p.server_service},
                                         p.metrics, p.clock));
  p.metrics.Set(Metric::kBuildInfo, {kVersion}, 1);
  ASSIGN_OR_RETURN(p.exporter, metrics::Exporter::Start(metrics_address.Text(), p.metrics,
                                                        [&p] { p.Refresh(); }));
  app->listening_on_ = address.WithPort(p.api_server->port());
  app->metrics_on_ = metrics_address.WithPort(p.exporter->port());
  return app;
}

void App::Stop() {
  if (parts_ == nullptr) return;
  Parts& p = *parts_;
  p.supervisor.Stop();
  p.inspections.Abandon();
  if (p.config.stop_workers) p.pool.StopAll();
  if (p.api_server != nullptr) p.api_server->Stop(kStopGrace);
  if (p.worker_server != nullptr) p.worker_server->Stop(kStopGrace);
  parts_.reset();  // the exporter last of all that serves: it takes a second
}

}  // namespace mantissa::server
