#include "tests/server/rpc/worker_process.h"

#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>

#include "absl/strings/str_cat.h"
#include "base/file.h"
#include "base/status.h"
#include "tests/server/rpc/fake_worker_service.h"

namespace mantissa::rpc {
namespace {

std::vector<char*> Pointers(std::vector<std::string>& strings) {
  std::vector<char*> pointers;
  for (std::string& string : strings) pointers.push_back(string.data());
  pointers.push_back(nullptr);
  return pointers;
}

}  // namespace

WorkerProcess::WorkerProcess(const std::string& address, const std::string& work_dir,
                             const std::vector<std::string>& environment) {
  const std::string program =
      JoinPath(std::getenv("TEST_SRCDIR"), "mantissa/server/engine/mantissa-worker");
  std::vector<std::string> arguments = {program, absl::StrCat("--server=", address),
                                        absl::StrCat("--task=", FakeWorkerService::kTask),
                                        absl::StrCat("--work-dir=", work_dir), "--threads=1"};
  // Of two values of one name the first counts.
  std::vector<std::string> all = environment;
  all.push_back(absl::StrCat("MANTISSA_WORKER_TOKEN=", FakeWorkerService::kToken));
  for (char** variable = environ; *variable != nullptr; ++variable) all.push_back(*variable);
  MANTISSA_CHECK(posix_spawn(&pid_, program.c_str(), nullptr, nullptr, Pointers(arguments).data(),
                             Pointers(all).data()) == 0);
}

WorkerProcess::~WorkerProcess() {
  if (pid_ == 0) return;
  Signal(SIGKILL);
  Wait();
}

void WorkerProcess::Signal(int signal) { kill(pid_, signal); }

int WorkerProcess::Wait() {
  int status = 0;
  MANTISSA_CHECK(waitpid(pid_, &status, 0) == pid_);
  pid_ = 0;
  return WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
}

}  // namespace mantissa::rpc
