#include "server/engine/worker_sandbox.h"

#include <fcntl.h>
#include <grp.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "absl/cleanup/cleanup.h"
#include "absl/status/status.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "base/file.h"
#include "base/log.h"
#include "base/status.h"

namespace mantissa::engine {
namespace {

// Users that no machine gives to anybody: each process takes its own among them.
constexpr uid_t kFirstUser = 0x60000000;
// Where a container knows fewer users: nobody.
constexpr uid_t kNobody = 65534;
constexpr rlim_t kMaxOpenFiles = 1024;

absl::Status Failed(absl::string_view what) {
  return absl::InternalError(absl::StrCat("the sandbox: ", what, ": ", strerror(errno)));
}

absl::StatusOr<int> Connect(const std::string& server) {
  absl::string_view path = server;
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  if (!absl::ConsumePrefix(&path, "unix:") || path.size() >= sizeof(address.sun_path)) {
    return absl::InvalidArgumentError(
        absl::StrCat("--server is ", server, "; a sandboxed worker takes unix:/PATH only."));
  }
  memcpy(address.sun_path, path.data(), path.size());
  const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return Failed("a socket");
  absl::Cleanup close_fd = [fd] { close(fd); };
  if (connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0) {
    return Failed(absl::StrCat("connecting to ", server));
  }
  if (fcntl(fd, F_SETFL, O_NONBLOCK) != 0) return Failed("the connection");
  std::move(close_fd).Cancel();
  return fd;
}

void LeaveNetwork() {
  if (unshare(CLONE_NEWNET) == 0) return;
  // Who is not root may where there is a namespace for users too; root would lose the others.
  if (geteuid() != 0 && unshare(CLONE_NEWUSER | CLONE_NEWNET) == 0) return;
  LogInfo("the reader keeps the network: ", strerror(errno));
}

bool Become(uid_t user, const std::string& work_dir) {
  if (chown(work_dir.c_str(), user, user) != 0) return false;
  return setgroups(0, nullptr) == 0 && setresgid(user, user, user) == 0 &&
         setresuid(user, user, user) == 0;
}

void LeaveRoot(const std::string& work_dir) {
  if (geteuid() != 0) return;
  const uid_t own = kFirstUser + static_cast<uid_t>(getpid());
  if (Become(own, work_dir) || Become(kNobody, work_dir)) return;
  LogWarning("the reader stays root: ", strerror(errno));
}

// Bytes of data and stack that the process has now.
int64_t DataBytes() {
  const absl::StatusOr<int> fd = OpenDescriptor("/proc/self/statm", /*append=*/false);
  if (!fd.ok()) return 0;
  char text[256];
  const ssize_t length = read(*fd, text, sizeof(text));
  close(*fd);
  const std::vector<absl::string_view> fields =
      absl::StrSplit(absl::string_view(text, std::max<ssize_t>(length, 0)), ' ');
  int64_t pages = 0;
  if (fields.size() < 6 || !absl::SimpleAtoi(fields[5], &pages)) return 0;
  return pages * sysconf(_SC_PAGESIZE);
}

void SetSoft(__rlimit_resource resource, const char* name, rlim_t soft) {
  rlimit limit = {};
  if (getrlimit(resource, &limit) == 0) {
    limit.rlim_cur = std::min(soft, limit.rlim_max);
    if (setrlimit(resource, &limit) == 0) return;
  }
  LogWarning("no limit on ", name, ": ", strerror(errno));
}

}  // namespace

absl::StatusOr<int> EnterSandbox(const std::string& server, const std::string& work_dir) {
  ASSIGN_OR_RETURN(const int fd, Connect(server));
  LeaveNetwork();
  LeaveRoot(work_dir);
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) LogWarning("new privileges stay possible");
  SetSoft(RLIMIT_NOFILE, "open files", kMaxOpenFiles);
  return fd;
}

void LimitResources(const ResourceLimits& limits) {
  SetSoft(RLIMIT_DATA, "memory",
          limits.memory_bytes > 0 ? static_cast<rlim_t>(DataBytes() + limits.memory_bytes)
                                  : RLIM_INFINITY);
  rusage used = {};
  getrusage(RUSAGE_SELF, &used);
  const int64_t so_far = used.ru_utime.tv_sec + used.ru_stime.tv_sec + 1;
  SetSoft(
      RLIMIT_CPU, "processor time",
      limits.cpu_seconds > 0 ? static_cast<rlim_t>(so_far + limits.cpu_seconds) : RLIM_INFINITY);
}

}  // namespace mantissa::engine
