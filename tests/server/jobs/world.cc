#include "tests/server/jobs/world.h"

#include <sys/stat.h>

#include "absl/strings/str_cat.h"
#include "base/hash.h"
#include "base/status.h"
#include "gtest/gtest.h"
#include "server/jobs/errors.h"

namespace mantissa::jobs {

namespace {

constexpr int64_t kPlannedBytes = 1000;

}  // namespace

absl::StatusOr<v1::Plan> FakePlanner::MakePlan(const v1::PlanRequest& request) {
  on_plan();
  if (request.model().model() == "builtin:none") return NotFound("model", "builtin:none", "");
  const int64_t budget = request.precision().memory_bytes();
  if (budget > 0 && budget < kPlannedBytes) {
    return absl::FailedPreconditionError(absl::StrCat("too large by ", kPlannedBytes - budget));
  }
  v1::Plan plan;
  *plan.mutable_model() = request.model();
  *plan.mutable_precision() = request.precision();
  if (plan.precision().policy() == v1::POLICY_NAME_UNSPECIFIED) {
    plan.mutable_precision()->set_policy(v1::POLICY_NAME_DEMOTION);
  }
  plan.set_batch_size(request.batch_size());
  plan.set_total_elements(1000);
  plan.add_groups()->set_elements(1000);
  plan.add_tensors()->set_name("conv1");
  plan.add_recompute("bn1");
  plan.mutable_memory()->set_peak_bytes(kPlannedBytes);
  plan.mutable_memory()->add_timeline()->set_operator_("conv1");
  return plan;
}

void CountingObserver::OnEvent(const v1::Job& job, const v1::JobEvent& event) {
  events[job.id()].push_back(event);
}

std::unique_ptr<StateDatabase> World::Open(const std::string& folder) {
  MANTISSA_CHECK_OK(RealFileSystem().MakeFolders(JoinPath(folder, "blobs")));
  absl::StatusOr<std::unique_ptr<StateDatabase>> state =
      StateDatabase::Open(JoinPath(folder, "state.db"));
  MANTISSA_CHECK_OK(state);
  return *std::move(state);
}

std::string World::WriteScript(const std::string& folder, const std::string& script) {
  const std::string path = JoinPath(folder, "worker.sh");
  MANTISSA_CHECK_OK(
      RealFileSystem().WriteAtomically(path, absl::StrCat("#!/bin/sh\n", script, "\n")));
  chmod(path.c_str(), 0700);
  return path;
}

World::World(const std::string& folder_in, const std::string& script, WorldOptions options)
    : folder(folder_in),
      program(WriteScript(folder, script)),
      state(Open(folder)),
      blobs(*state, files, clock, JoinPath(folder, "blobs"), {.reserve_bytes = 0}),
      artifacts(*state, files, folder, /*reserve_bytes=*/0),
      pool(workers, files, clock, notifier, observer,
           {.program = program,
            .server_address = "unix:/nowhere",
            .work_dir = JoinPath(folder, "work")}),
      inspections(pool, clock, {.log_path = JoinPath(folder, "inspect.log")}),
      runner({store, ledger, workers, pool, datasets, models, artifacts, planner, files, clock,
              observer},
             {.max_running = options.max_running, .data_dir = folder}),
      supervisor(pool, runner, inspections, blobs, clock),
      desk({store, ledger, datasets, models, blobs, artifacts, pool, planner, clock},
           {.max_running = options.max_running, .max_pending = options.max_pending}, [] {}),
      dataset_desk(datasets, blobs, inspections, clock),
      model_desk(models, blobs, inspections, clock) {}

void World::Upload(const std::string& content) {
  const auto size = static_cast<int64_t>(content.size());
  if (blobs.Query(Sha256Hex(content), size)->complete) return;
  auto upload = *blobs.Begin(Sha256Hex(content), size, 0);
  ASSERT_TRUE(upload->Append(content).ok());
  ASSERT_TRUE(upload->Finish()->complete);
}

void World::ReportInspection(const internal::v1::WorkerReport& report) {
  ASSERT_EQ(pool.Tasks().size(), 1u);
  ASSERT_TRUE(inspections.Report(pool.Tasks()[0], {report}).ok());
}

void World::AddDataset(const std::string& name) {
  const std::string content = absl::StrCat("content of ", name);
  const std::string sha256 = Sha256Hex(content);
  auto upload = blobs.Begin(sha256, content.size(), 0);
  MANTISSA_CHECK_OK(upload);
  MANTISSA_CHECK_OK((*upload)->Append(content));
  MANTISSA_CHECK_OK((*upload)->Finish());
  v1::Dataset dataset;
  dataset.set_name(name);
  dataset.set_content_sha256(name);
  v1::DatasetFile& file = *dataset.add_files();
  file.set_name("data.npz");
  file.set_sha256(sha256);
  file.set_size_bytes(content.size());
  dataset.set_train_samples(256);
  dataset.set_test_samples(64);
  for (const int64_t size : {1, 8, 8}) dataset.add_sample_shape(size);
  dataset.set_classes(10);
  MANTISSA_CHECK_OK(datasets.Insert(dataset));
}

v1::SubmitJobRequest World::Request(const std::string& dataset) {
  v1::SubmitJobRequest request;
  request.mutable_spec()->mutable_model()->set_model("builtin:resnet18");
  request.mutable_spec()->set_dataset(dataset);
  return request;
}

v1::Job World::MustSubmit(const std::string& dataset, const std::string& name) {
  v1::SubmitJobRequest request = Request(dataset);
  request.mutable_spec()->set_name(name);
  const absl::StatusOr<v1::Job> job = desk.Submit(request);
  MANTISSA_CHECK_OK(job);
  return *job;
}

v1::Job World::MustGet(const std::string& id) {
  const absl::StatusOr<v1::Job> job = desk.Get(id);
  MANTISSA_CHECK_OK(job);
  return *job;
}

std::vector<v1::JobEvent> World::Events(const std::string& id) {
  std::vector<v1::JobEvent> all;
  while (true) {
    const absl::StatusOr<EventBatch> batch =
        desk.EventsAfter(id, all.empty() ? 0 : all.back().sequence(), 7);
    MANTISSA_CHECK_OK(batch);
    if (batch->events.empty()) return all;
    all.insert(all.end(), batch->events.begin(), batch->events.end());
  }
}

bool World::TickUntil(const std::function<bool()>& done, absl::Duration step) {
  for (int round = 0; round < 1000; ++round) {
    supervisor.Tick();
    if (done()) return true;
    clock.Advance(step);
    RealClock().SleepFor(absl::Milliseconds(10));
  }
  return false;
}

bool World::TickUntilState(const std::string& id, v1::JobState state, absl::Duration step) {
  return TickUntil([&] { return MustGet(id).state() == state; }, step);
}

internal::v1::WorkerReport StepReport(int64_t number, int64_t step) {
  internal::v1::WorkerReport report;
  report.set_number(number);
  v1::StepDone& done = *report.mutable_step_done();
  done.set_step(step);
  done.set_total_steps(100);
  done.set_loss(1.0 / static_cast<double>(step));
  done.set_samples(128);
  done.mutable_duration()->set_nanos(100000000);
  return report;
}

internal::v1::WorkerReport MemoryReport(int64_t number) {
  internal::v1::WorkerReport report;
  report.set_number(number);
  v1::JobMemory& memory = *report.mutable_memory_measured();
  memory.set_device("cpu");
  memory.set_step(2);
  const auto fill = [](int64_t bytes, v1::StepMemory& step) {
    step.set_peak_bytes(bytes);
    v1::MemoryPoint& peak = *step.mutable_peak();
    peak.set_phase(v1::STEP_PHASE_FORWARD);
    peak.set_operator_("relu1");
    peak.mutable_bytes()->set_activations(bytes);
    peak.mutable_bytes()->set_total(bytes);
    *step.add_timeline() = peak;
  };
  fill(900, *memory.mutable_measured());
  fill(1000, *memory.mutable_predicted());
  return report;
}

}  // namespace mantissa::jobs
