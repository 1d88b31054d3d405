// server/engine/worker.h
//
// A worker: does one task of a server, from fetching it to the last report.
//
//   return RunWorker({.server = "unix:/data/worker.sock", .task = "t1", .token = token});
//
// Inspects a data set or a model, or trains a job. Whatever goes wrong in that is reported with its
// cause; a worker that ends without a last report counts as dead.

#ifndef MANTISSA_SERVER_ENGINE_WORKER_H_
#define MANTISSA_SERVER_ENGINE_WORKER_H_

#include <string>

#include "absl/time/time.h"
#include "server/engine/options.h"

namespace mantissa::engine {

struct WorkerOptions {
  // Where the server is: `unix:/PATH` or `HOST:PORT`.
  std::string server;
  std::string task;
  std::string token;
  // An existing folder for scratch files.
  std::string work_dir = ".";
  // How long the server may be away before the worker ends itself.
  absl::Duration reconnect_limit = absl::Minutes(10);
  // Threads of a job that does not say; 0: LibTorch's choice.
  int threads = 0;
  DeviceChoice device = DeviceChoice::kAuto;
  // Locks itself in first (worker_sandbox.h): for reading, not for training.
  bool sandboxed = false;
};

// Exit codes of the process.
enum WorkerExit : int {
  // The last report is acknowledged, be it of a success.
  kWorkerDone = 0,
  // For worker_main.cc: flags or environment are not usable.
  kWorkerUsage = 2,
  // The server disowns this attempt.
  kWorkerDisowned = 3,
  // The server is away for longer than the limit, or broken.
  kWorkerAlone = 4,
  // SIGTERM or SIGINT, and the server had not said to cancel.
  kWorkerTerminated = 143,
};

// REQUIRES: called once in a process, after BlockTermination() (worker_termination.h), before any
// other thread is made.
int RunWorker(const WorkerOptions& options);

}  // namespace mantissa::engine

#endif  // MANTISSA_SERVER_ENGINE_WORKER_H_
