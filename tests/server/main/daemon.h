// tests/server/main/daemon.h
//
// A mantissad of a test's own, with fake workers: the real program, its flags, its sockets.
//
//   Daemon daemon;
//   ASSERT_TRUE(daemon.Start());
//   daemon.PushDataset("digits");
//   std::string id = daemon.Submit("steps 10 5");
//   daemon.Kill();                       // SIGKILL; workers go on
//   ASSERT_TRUE(daemon.Start());         // on the same folder
#ifndef MANTISSA_TESTS_SERVER_MAIN_DAEMON_H_
#define MANTISSA_TESTS_SERVER_MAIN_DAEMON_H_

#include <sys/types.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "grpcpp/channel.h"
#include "grpcpp/client_context.h"
#include "grpcpp/support/status.h"
#include "mantissa/v1/dataset.grpc.pb.h"
#include "mantissa/v1/job.grpc.pb.h"
#include "mantissa/v1/model.grpc.pb.h"
#include "mantissa/v1/planner.grpc.pb.h"
#include "mantissa/v1/server.grpc.pb.h"

namespace mantissa {

class Daemon {
 public:
  Daemon();
  // Ends the server and its workers.
  ~Daemon();

  // Starts the server with more flags; false, with its words in error(), if it does not serve.
  bool Start(std::vector<std::string> flags = {});
  void Kill();                // SIGKILL
  int Stop(int signal = 15);  // waits; its exit code
  const std::string& error() const { return error_; }
  const std::string& folder() const { return folder_; }
  const std::string& address() const { return address_; }
  int metrics_port() const { return metrics_port_; }

  std::shared_ptr<grpc::Channel> NewChannel() const;
  v1::JobService::Stub& jobs() { return *jobs_; }
  v1::DatasetService::Stub& datasets() { return *datasets_; }

  grpc::Status Upload(const std::string& content, int64_t offset, const std::string& bytes,
                      v1::UploadBlobResponse* response);
  grpc::Status CreateDataset(const std::string& name, v1::Dataset* dataset);
  void PushDataset(const std::string& name);

  grpc::Status TrySubmit(const v1::SubmitJobRequest& request, v1::Job* job);
  v1::SubmitJobRequest Request(const std::string& job_name);
  std::string Submit(const std::string& job_name, int max_retries = 1);
  v1::Job Get(const std::string& id);
  // Waits, up to a minute.
  bool WaitFor(const std::function<bool()>& done);
  bool WaitForState(const std::string& id, v1::JobState state);
  // Appends the events after the last of `events` until the stream ends or has given `most`.
  grpc::Status Watch(const std::string& id, std::vector<v1::JobEvent>& events,
                     size_t most = 1000000);
  // Process ids of the workers that live.
  std::vector<pid_t> WorkerPids();
  // The body of /metrics.
  std::string Scrape();

 private:
  void ReadOutput(int fd);

  std::string folder_, error_, address_;
  int metrics_port_ = 0;
  pid_t pid_ = 0;
  std::unique_ptr<v1::JobService::Stub> jobs_;
  std::unique_ptr<v1::DatasetService::Stub> datasets_;
};

}  // namespace mantissa

#endif  // MANTISSA_TESTS_SERVER_MAIN_DAEMON_H_
