#include "server/jobs/process.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "base/file.h"
#include "base/status.h"
#include "server/jobs/proc_file.h"

extern char** environ;

namespace mantissa::jobs {
namespace {

struct Stat {
  char state = 'X';
  int64_t start_ticks = 0;
};

// nullopt if there is no such process.
std::optional<Stat> ReadStat(int64_t pid) {
  const absl::StatusOr<std::string> text = ReadProcFile(absl::StrCat("/proc/", pid, "/stat"));
  if (!text.ok()) return std::nullopt;
  // pid (name) state ...: the name may hold anything, so count from the last parenthesis.
  const size_t name_end = text->rfind(") ");
  if (name_end == std::string::npos) return std::nullopt;
  const std::vector<absl::string_view> fields =
      absl::StrSplit(absl::string_view(*text).substr(name_end + 2), ' ');
  Stat stat;
  if (fields.size() < 20 || !absl::SimpleAtoi(fields[19], &stat.start_ticks)) return std::nullopt;
  stat.state = fields[0].empty() ? 'X' : fields[0][0];
  return stat;
}

// What the child needs, made before the fork: after it only async-signal-safe calls are allowed.
struct Prepared {
  std::vector<char*> argv, environment;
  const char* work_dir;
  int null_fd, log_fd;
};

// Of "NAME=value".
absl::string_view NameOf(absl::string_view entry) { return entry.substr(0, entry.find('=')); }

Prepared Prepare(const Command& command, int null_fd, int log_fd) {
  Prepared prepared{.work_dir = command.work_dir.c_str(), .null_fd = null_fd, .log_fd = log_fd};
  for (const std::string& arg : command.argv) {
    prepared.argv.push_back(const_cast<char*>(arg.c_str()));
  }
  for (const std::string& entry : command.environment) {
    prepared.environment.push_back(const_cast<char*>(entry.c_str()));
  }
  for (char** entry = environ; *entry != nullptr; ++entry) {
    // Of a name that occurs twice, some programs take the first and some the last.
    const bool replaced =
        std::any_of(command.environment.begin(), command.environment.end(),
                    [&](const std::string& own) { return NameOf(own) == NameOf(*entry); });
    if (!replaced) prepared.environment.push_back(*entry);
  }
  prepared.argv.push_back(nullptr);
  prepared.environment.push_back(nullptr);
  return prepared;
}

// Puts `fd` at number `target`, also where it has that number already.
void Place(int fd, int target) {
  if (fd == target) {
    fcntl(fd, F_SETFD, 0);
  } else {
    dup2(fd, target);
  }
}

// In the child. Waits for a byte on `go_fd` (its end without one means that the parent gave up or
// died), then becomes the program. Writes errno to `error_fd` if that fails.
[[noreturn]] void RunChild(const Prepared& prepared, int go_fd, int error_fd) {
  char go = 0;
  ssize_t got;
  do {
    got = read(go_fd, &go, 1);
  } while (got < 0 && errno == EINTR);
  if (got != 1) _exit(127);
  setsid();
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  signal(SIGPIPE, SIG_DFL);
  if (chdir(prepared.work_dir) == 0) {
    Place(prepared.log_fd, 1);
    Place(prepared.log_fd, 2);
    Place(prepared.null_fd, 0);
    close_range(3, ~0U, CLOSE_RANGE_CLOEXEC);
    execve(prepared.argv[0], prepared.argv.data(), prepared.environment.data());
  }
  const int error = errno;
  [[maybe_unused]] const ssize_t written = write(error_fd, &error, sizeof(error));
  _exit(127);
}

absl::Status CannotStart(absl::string_view program, int error) {
  const std::string text =
      absl::StrCat("The worker program ", program, " could not be started: ", strerror(error), ".");
  if (error == ENOENT) return absl::NotFoundError(text);
  if (error == EACCES) return absl::PermissionDeniedError(text);
  return absl::InternalError(text);
}

// Lets the child go on and waits until it has become the program. OK if it has.
absl::Status ReleaseChild(const Command& command, int go_fd, int error_fd) {
  if (write(go_fd, "g", 1) != 1) return CannotStart(command.argv[0], errno);
  int error = 0;
  ssize_t got;
  do {
    got = read(error_fd, &error, sizeof(error));
  } while (got < 0 && errno == EINTR);
  if (got == 0) return absl::OkStatus();
  return CannotStart(command.argv[0], error);
}

}  // namespace

absl::StatusOr<ProcessId> Launch(const Command& command,
                                 const std::function<absl::Status(const ProcessId&)>& record) {
  ASSIGN_OR_RETURN(const int null_fd, OpenDescriptor("/dev/null", /*append=*/false));
  const absl::Cleanup close_null = [&] { close(null_fd); };
  ASSIGN_OR_RETURN(const int log_fd, OpenDescriptor(command.log_path, /*append=*/true));
  const absl::Cleanup close_log = [&] { close(log_fd); };
  const Prepared prepared = Prepare(command, null_fd, log_fd);
  int go[2], error[2];
  if (pipe2(go, O_CLOEXEC) != 0) return CannotStart(command.argv[0], errno);
  const absl::Cleanup close_go = [&] {
    for (int fd : go) {
      if (fd >= 0) close(fd);
    }
  };
  if (pipe2(error, O_CLOEXEC) != 0) return CannotStart(command.argv[0], errno);
  const absl::Cleanup close_error = [&] {
    for (int fd : error) {
      if (fd >= 0) close(fd);
    }
  };
  const pid_t pid = fork();
  if (pid < 0) return CannotStart(command.argv[0], errno);
  if (pid == 0) {
    close(go[1]);
    RunChild(prepared, go[0], error[1]);
  }
  close(std::exchange(go[0], -1));
  close(std::exchange(error[1], -1));
  const ProcessId process{.pid = pid, .start_ticks = ReadStat(pid).value_or(Stat()).start_ticks};
  absl::Status status = record(process);
  if (status.ok()) status = ReleaseChild(command, go[1], error[0]);
  if (status.ok()) return process;
  close(std::exchange(go[1], -1));
  waitpid(pid, nullptr, 0);
  return status;
}

std::optional<ProcessEnd> FindEnd(const ProcessId& process) {
  if (process.pid <= 0) return ProcessEnd();
  int status = 0;
  const pid_t reaped = waitpid(static_cast<pid_t>(process.pid), &status, WNOHANG);
  if (reaped == process.pid) {
    ProcessEnd end;
    if (WIFEXITED(status)) end.exit_code = WEXITSTATUS(status);
    if (WIFSIGNALED(status)) end.signal = WTERMSIG(status);
    return end;
  }
  const std::optional<Stat> stat = ReadStat(process.pid);
  const bool lives = stat.has_value() && stat->start_ticks == process.start_ticks &&
                     stat->state != 'Z' && stat->state != 'X';
  if (lives || reaped == 0) return std::nullopt;
  return ProcessEnd();
}

void SignalGroup(const ProcessId& process, int signal) {
  const std::optional<Stat> stat = ReadStat(process.pid);
  if (!stat.has_value() || stat->start_ticks != process.start_ticks || process.pid <= 1) return;
  kill(static_cast<pid_t>(process.pid), signal);
  kill(-static_cast<pid_t>(process.pid), signal);
}

std::string Describe(const ProcessEnd& end) {
  if (end.signal.has_value()) {
    return absl::StrCat("was killed by signal ", *end.signal, " (", strsignal(*end.signal), ")");
  }
  if (end.exit_code.has_value()) return absl::StrCat("exited with code ", *end.exit_code);
  return "ended, how is not known: an earlier server had started it";
}

}  // namespace mantissa::jobs
