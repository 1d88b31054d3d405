// A worker that trains nothing: it speaks worker.proto and does what the job's name says.
//
//   "steps N MS"  N steps of MS milliseconds, an evaluation, artifacts, success
//   "crash"       three steps, then SIGKILL of itself; "crash-once": in its first attempt only
//   "silent"      three steps, then no sign of life, for ever
//   "deaf"        steps for ever, whatever it is told
//   "oom"         a failure: out of memory
//   "exit"        exit code 0 without a result
//
// A data set named "bad" can't be read, one named "crash" ends the worker.

#include <signal.h>
#include <unistd.h>

#include <cstdlib>
#include <iostream>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/status.h"
#include "server/rpc/worker_channel.h"

namespace mantissa {
namespace {

using internal::v1::WorkerReport;

class FakeWorker {
 public:
  explicit FakeWorker(rpc::WorkerChannel& channel) : channel_(channel) {}

  absl::Status Run(const internal::v1::Task& task) {
    if (task.has_inspect()) return Inspect(task.inspect().request());
    return Train(task.train());
  }

 private:
  absl::Status Send(const WorkerReport& report) {
    RETURN_IF_ERROR(channel_.Report(report));
    return channel_.Drain();
  }

  absl::Status Inspect(const v1::CreateDatasetRequest& request) {
    if (request.name() == "crash") kill(getpid(), SIGSEGV);
    WorkerReport report;
    if (request.name() == "bad") {
      report.mutable_failed()->set_cause(v1::FAILURE_CAUSE_BAD_DATA);
      report.mutable_failed()->set_message("data.npz is truncated.");
      return Send(report);
    }
    RETURN_IF_ERROR(
        channel_.ReadBlob(request.files(0).sha256(), request.files(0).size_bytes(), "data"));
    v1::Dataset& dataset = *report.mutable_inspected();
    dataset.set_format("npz");
    dataset.set_train_samples(256);
    dataset.set_test_samples(64);
    for (const int64_t size : {3, 32, 32}) dataset.add_sample_shape(size);
    dataset.set_classes(10);
    return Send(report);
  }

  absl::Status Step(int64_t step, int64_t total, absl::Duration time) {
    RealClock().SleepFor(time);
    std::cerr << "step " << step << std::endl;
    WorkerReport report;
    v1::StepDone& done = *report.mutable_step_done();
    done.set_step(step);
    done.set_total_steps(total);
    done.set_loss(1.0 / static_cast<double>(step));
    done.set_loss_unrounded(done.loss());
    done.set_samples(64);
    done.mutable_duration()->set_nanos(1000000);
    return channel_.Report(report);
  }

  absl::Status Steps(int64_t total, absl::Duration time) {
    for (int64_t step = 1; step <= total; ++step) {
      if (channel_.cancelled()) {
        WorkerReport report;
        report.mutable_cancelled();
        return Send(report);
      }
      RETURN_IF_ERROR(Step(step, total, time));
    }
    WorkerReport report;
    report.mutable_evaluated()->set_accuracy(0.5);
    RETURN_IF_ERROR(channel_.Report(report));
    for (const char* name : {"history.jsonl", "report.json"}) {
      RETURN_IF_ERROR(RealFileSystem().WriteAtomically(name, absl::StrCat(name, "\n")));
      RETURN_IF_ERROR(channel_.WriteArtifact(name, name, /*hidden=*/false));
    }
    WorkerReport succeeded;
    succeeded.mutable_succeeded();
    return Send(succeeded);
  }

  absl::Status Train(const internal::v1::TrainTask& task) {
    const std::vector<std::string> words = absl::StrSplit(task.spec().name(), ' ');
    WorkerReport started;
    started.mutable_started()->set_total_steps(100);
    RETURN_IF_ERROR(channel_.Report(started));
    if (words[0] == "steps") {
      int64_t total = 0, milliseconds = 0;
      MANTISSA_CHECK(absl::SimpleAtoi(words[1], &total) &&
                     absl::SimpleAtoi(words[2], &milliseconds));
      return Steps(total, absl::Milliseconds(milliseconds));
    }
    if (words[0] == "exit") std::exit(0);
    if (words[0] == "oom") {
      WorkerReport report;
      report.mutable_failed()->set_cause(v1::FAILURE_CAUSE_OUT_OF_MEMORY);
      report.mutable_failed()->set_message("Memory ran out.");
      return Send(report);
    }
    if (words[0] == "crash-once" && task.attempt() > 1) return Steps(5, absl::ZeroDuration());
    return Misbehave(words[0]);
  }

  absl::Status Misbehave(const std::string& how) {
    for (int64_t step = 1; step <= 3 || how == "deaf"; ++step) {
      RETURN_IF_ERROR(Step(step, 100, absl::Milliseconds(10)));
    }
    RETURN_IF_ERROR(channel_.Drain());
    kill(getpid(), how == "silent" ? SIGSTOP : SIGKILL);
    return absl::OkStatus();
  }

  rpc::WorkerChannel& channel_;
};

int Main(const std::vector<std::string>& args) {
  rpc::WorkerChannelOptions options;
  for (absl::string_view arg : args) {
    if (absl::ConsumePrefix(&arg, "--server=")) options.server = std::string(arg);
    if (absl::ConsumePrefix(&arg, "--task=")) options.task = std::string(arg);
  }
  options.token = std::getenv("MANTISSA_WORKER_TOKEN");
  rpc::WorkerChannel channel(options);
  const absl::StatusOr<internal::v1::Task> task = channel.GetTask();
  if (!task.ok()) return 3;
  channel.StartReporting();
  const absl::Status status = FakeWorker(channel).Run(*task);
  if (status.ok()) return 0;
  std::cerr << status << std::endl;
  return absl::IsUnauthenticated(status) ? 3 : 4;
}

}  // namespace
}  // namespace mantissa

int main(int argc, char** argv) {
  signal(SIGTERM, SIG_DFL);
  return mantissa::Main(std::vector<std::string>(argv + 1, argv + argc));
}
