// server/jobs/process.h
//
// Starting, watching and ending worker processes, also those that an earlier server started.
//
//   ASSIGN_OR_RETURN(ProcessId process, Launch(command, [&](const ProcessId& process) {
//     return store.SetProcess(task, process);  // on disk before the program starts
//   }));
//   if (std::optional<ProcessEnd> end = FindEnd(process)) ...
//
// A process is named by its pid and the time it started, since pids are used again. Linux only.
#ifndef MANTISSA_SERVER_JOBS_PROCESS_H_
#define MANTISSA_SERVER_JOBS_PROCESS_H_

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace mantissa::jobs {

struct ProcessId {
  int64_t pid = 0;
  // Clock ticks from the machine's start to the process's: field 22 of /proc/PID/stat.
  int64_t start_ticks = 0;
};

struct Command {
  std::vector<std::string> argv;  // argv[0]: path of the program
  // Added to this process's environment: NAME=VALUE.
  std::vector<std::string> environment;
  std::string work_dir;  // an existing folder
  std::string log_path;  // standard output and error are appended
};

// Starts a program in a session (and process group) of its own, holding none of our files. `record`
// is called with the process before the program runs; if it fails, or if this process dies
// meanwhile, the program never runs. NOT_FOUND or PERMISSION_DENIED if it can't be run.
absl::StatusOr<ProcessId> Launch(const Command& command,
                                 const std::function<absl::Status(const ProcessId&)>& record);

// How a process ended. Unknown (both nullopt) if it was not our child.
struct ProcessEnd {
  std::optional<int> exit_code;
  std::optional<int> signal;
};

// The end of a process, or nullopt while it lives. Reaps it if it is our child. Does not block.
std::optional<ProcessEnd> FindEnd(const ProcessId& process);

// Sends a signal to the process and its group; nothing happens if it has ended.
void SignalGroup(const ProcessId& process, int signal);

// "was killed by signal 9 (Killed)", "exited with code 3", "ended, how is not known: ...".
std::string Describe(const ProcessEnd& end);

}  // namespace mantissa::jobs

#endif  // MANTISSA_SERVER_JOBS_PROCESS_H_
