// tests/server/jobs/world.h
//
// All of server/jobs in a folder, without gRPC: time stands still, plans are made up, workers are
// shell scripts. A second World on the folder is a server that was started again.
//
//   World world(folder.path(), "sleep 100");
//   world.AddDataset("digits");
//   v1::Job job = world.MustSubmit("digits");
//   world.Tick();
#ifndef MANTISSA_TESTS_SERVER_JOBS_WORLD_H_
#define MANTISSA_TESTS_SERVER_JOBS_WORLD_H_

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/fake_clock.h"
#include "base/file.h"
#include "server/jobs/dataset_desk.h"
#include "server/jobs/job_desk.h"
#include "server/jobs/job_runner.h"
#include "server/jobs/model_desk.h"
#include "server/jobs/supervisor.h"

namespace mantissa::jobs {

// Plans of one group of 1,000 elements that need 1,000 bytes: smaller budgets are missed. Models
// named "builtin:none" are not found.
class FakePlanner : public JobPlanner {
 public:
  absl::StatusOr<v1::Plan> MakePlan(const v1::PlanRequest& request) override;

  std::function<void()> on_plan = [] {};
};

class CountingObserver : public Observer {
 public:
  void OnEvent(const v1::Job& job, const v1::JobEvent& event) override;
  void OnWorkerStarted() override { ++starts; }
  void OnWorkerDied(v1::FailureCause cause) override { ++deaths[cause]; }
  void OnUploaded(int64_t) override {}

  std::map<std::string, std::vector<v1::JobEvent>> events;
  int starts = 0;
  std::map<v1::FailureCause, int> deaths;
};

struct WorldOptions {
  int max_running = 1;
  int64_t max_pending = 100;
};

class World {
 public:
  // `script` is what a worker does; $2 is --task=ID.
  World(const std::string& folder, const std::string& script, WorldOptions options = {});

  void AddDataset(const std::string& name);
  // A blob, if it is not there yet.
  void Upload(const std::string& content);
  // What the worker of the only inspection says.
  void ReportInspection(const internal::v1::WorkerReport& report);
  v1::SubmitJobRequest Request(const std::string& dataset);
  v1::Job MustSubmit(const std::string& dataset, const std::string& name = "");
  v1::Job MustGet(const std::string& id);
  std::vector<v1::JobEvent> Events(const std::string& id);

  // Rounds of the supervisor until `done` or 10 seconds have passed; returns whether it is done.
  // The fake clock moves by `step` each round.
  bool TickUntil(const std::function<bool()>& done, absl::Duration step = absl::ZeroDuration());
  // The same for a job's state.
  bool TickUntilState(const std::string& id, v1::JobState state,
                      absl::Duration step = absl::ZeroDuration());

  static std::unique_ptr<StateDatabase> Open(const std::string& folder);
  static std::string WriteScript(const std::string& folder, const std::string& script);

  const std::string folder;
  const std::string program;
  FakeClock clock;
  FileSystem& files = RealFileSystem();
  CountingObserver observer;
  FakePlanner planner;
  Notifier notifier;
  const std::unique_ptr<StateDatabase> state;
  JobStore store{*state};
  WorkerStore workers{*state};
  DatasetStore datasets{*state};
  ModelStore models{*state};
  BlobStore blobs;
  ArtifactStore artifacts;
  JobLedger ledger{store, notifier, observer};
  WorkerPool pool;
  Inspections inspections;
  JobRunner runner;
  Supervisor supervisor;
  JobDesk desk;
  DatasetDesk dataset_desk;
  ModelDesk model_desk;
};

internal::v1::WorkerReport StepReport(int64_t number, int64_t step);
// Measured 900 bytes at its peak in `relu1`, predicted 1,000, each with a timeline of one point.
internal::v1::WorkerReport MemoryReport(int64_t number);

}  // namespace mantissa::jobs

#endif  // MANTISSA_TESTS_SERVER_JOBS_WORLD_H_
