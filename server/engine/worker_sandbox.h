// server/engine/worker_sandbox.h
//
// Locks a worker in before it reads files that nobody vouches for.
//
//   ASSIGN_OR_RETURN(const int server, EnterSandbox("unix:/data/worker.sock", "."));
//   LimitResources({.memory_bytes = int64_t{1} << 30, .cpu_seconds = 10});
//   ReadModel();
//
// What reads in there can at worst end its own process: it has no network, and where the server
// runs as root it is a user of its own, who can open no file of anybody's but in its scratch
// folder. Linux only.

#ifndef MANTISSA_SERVER_ENGINE_WORKER_SANDBOX_H_
#define MANTISSA_SERVER_ENGINE_WORKER_SANDBOX_H_

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"

namespace mantissa::engine {

// Returns a connection to the server, since nothing can be dialled later: a descriptor, the
// caller's. `server` is `unix:/PATH`; `work_dir` becomes the new user's. What the machine does not
// allow (a namespace for the network, for instance) is logged and left. REQUIRES: there is no other
// thread.
absl::StatusOr<int> EnterSandbox(const std::string& server, const std::string& work_dir);

struct ResourceLimits {
  // What may be allocated from now on; beyond it std::bad_alloc. 0: no limit.
  int64_t memory_bytes = 0;
  // Processor time of all threads from now on; beyond it SIGXCPU ends the process. 0: no limit.
  int64_t cpu_seconds = 0;
};

// In place of limits that were set before, and at most those that the process was started with.
void LimitResources(const ResourceLimits& limits);

}  // namespace mantissa::engine

#endif  // MANTISSA_SERVER_ENGINE_WORKER_SANDBOX_H_
