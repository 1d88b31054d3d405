// tests/server/rpc/worker_process.h
//
// Starts mantissa-worker as mantissad does.
//
//   WorkerProcess worker(server.address(), folder.path());
//   EXPECT_EQ(worker.Wait(), 0);

#ifndef MANTISSA_TESTS_SERVER_RPC_WORKER_PROCESS_H_
#define MANTISSA_TESTS_SERVER_RPC_WORKER_PROCESS_H_

#include <sys/types.h>

#include <string>
#include <vector>

namespace mantissa::rpc {

class WorkerProcess {
 public:
  // `environment` is added to this process's: NAME=VALUE. The token and task are
  // FakeWorkerService's unless overridden there.
  WorkerProcess(const std::string& address, const std::string& work_dir,
                const std::vector<std::string>& environment = {});
  // Kills it if it still runs.
  ~WorkerProcess();

  void Signal(int signal);
  // The exit code, or 1000 + the number of the signal that ended it.
  int Wait();

 private:
  pid_t pid_ = 0;
};

}  // namespace mantissa::rpc

#endif  // MANTISSA_TESTS_SERVER_RPC_WORKER_PROCESS_H_
