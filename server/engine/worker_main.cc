// mantissa-worker: started by mantissad for one task; not for people.
//
//   MANTISSA_WORKER_TOKEN=... mantissa-worker --server=unix:/data/worker.sock --task=ID
//       [--work-dir=DIR] [--threads=N] [--device=auto|cpu|cuda] [--sandbox]
//
// The token comes by the environment, since other users see command lines. MANTISSA_RECONNECT: how
// many seconds the server may be away before the worker ends itself (default 600).

#include <cstdlib>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "absl/time/time.h"
#include "base/log.h"
#include "base/status.h"
#include "server/engine/options.h"
#include "server/engine/worker.h"
#include "server/engine/worker_termination.h"

namespace mantissa::engine {
namespace {

constexpr char kTokenVariable[] = "MANTISSA_WORKER_TOKEN";
constexpr char kReconnectVariable[] = "MANTISSA_RECONNECT";

// "--name=value"; `value` is what follows.
absl::Status TakeFlag(absl::string_view argument, WorkerOptions& options) {
  absl::string_view value = argument;
  if (absl::ConsumePrefix(&value, "--server=")) {
    options.server = std::string(value);
  } else if (absl::ConsumePrefix(&value, "--task=")) {
    options.task = std::string(value);
  } else if (absl::ConsumePrefix(&value, "--work-dir=")) {
    options.work_dir = std::string(value);
  } else if (argument == "--sandbox") {
    options.sandboxed = true;
    options.device = DeviceChoice::kCpu;
  } else if (absl::ConsumePrefix(&value, "--threads=")) {
    if (!absl::SimpleAtoi(value, &options.threads) || options.threads < 0 ||
        options.threads > 1024) {
      return InvalidField("--threads", value, "0 to 1024", "Use 0 for LibTorch's choice.");
    }
  } else if (absl::ConsumePrefix(&value, "--device=")) {
    if (value == "auto") {
      options.device = DeviceChoice::kAuto;
    } else if (value == "cpu") {
      options.device = DeviceChoice::kCpu;
    } else if (value == "cuda") {
      options.device = DeviceChoice::kCuda;
    } else {
      return InvalidField("--device", value, "auto, cpu or cuda", "Use auto.");
    }
  } else {
    return absl::InvalidArgumentError(
        absl::StrCat("unknown argument ", argument,
                     "; allowed are --server=, --task=, --work-dir=, --threads=, --device= and "
                     "--sandbox."));
  }
  return absl::OkStatus();
}

absl::StatusOr<WorkerOptions> Parse(int argc, char** argv) {
  WorkerOptions options;
  for (int i = 1; i < argc; ++i) RETURN_IF_ERROR(TakeFlag(argv[i], options));
  if (options.server.empty() || options.task.empty()) {
    return absl::InvalidArgumentError("--server=ADDRESS and --task=ID are required.");
  }
  const char* token = std::getenv(kTokenVariable);
  if (token == nullptr || *token == '\0') {
    return absl::InvalidArgumentError(
        absl::StrCat("the environment has no ", kTokenVariable, "; mantissad sets it."));
  }
  options.token = token;
  // Nothing that is loaded later needs to know it.
  unsetenv(kTokenVariable);
  if (const char* text = std::getenv(kReconnectVariable)) {
    double seconds = 0;
    if (!absl::SimpleAtod(text, &seconds) || !(seconds > 0)) {
      return InvalidField(kReconnectVariable, text, "seconds above 0", "Use 600.");
    }
    options.reconnect_limit = absl::Seconds(seconds);
  }
  return options;
}

int Main(int argc, char** argv) {
  BlockTermination();
  const absl::StatusOr<WorkerOptions> options = Parse(argc, argv);
  if (!options.ok()) {
    LogError(options.status().message());
    return kWorkerUsage;
  }
  return RunWorker(*options);
}

}  // namespace
}  // namespace mantissa::engine

int main(int argc, char** argv) { return mantissa::engine::Main(argc, argv); }
