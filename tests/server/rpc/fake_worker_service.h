// tests/server/rpc/fake_worker_service.h
//
// The server's side of mantissa.internal.v1 with nothing behind it, for the tests of the worker's.
//
//   FakeWorkerService server;          // on a Unix socket of its own
//   server.task().mutable_train()->...
//   server.Stop(); server.Start();     // a restart: what was acknowledged is kept
//   server.reports();                  // what was acknowledged, in order

#ifndef MANTISSA_TESTS_SERVER_RPC_FAKE_WORKER_SERVICE_H_
#define MANTISSA_TESTS_SERVER_RPC_FAKE_WORKER_SERVICE_H_

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "mantissa/internal/v1/worker.pb.h"

namespace mantissa::rpc {

class FakeWorkerService {
 public:
  static constexpr char kTask[] = "task-1";
  static constexpr char kToken[] = "secret-token";

  FakeWorkerService();
  ~FakeWorkerService();

  void Start();
  // Cuts all calls off in the middle, as a killed server does.
  void Stop();

  // Where it listens, as the worker takes it.
  const std::string& address() const { return address_; }

  // To be set before the worker asks.
  internal::v1::Task& task() { return task_; }
  // Returns the SHA-256.
  std::string AddBlob(std::string bytes);
  // Bytes that ReadBlob sends before it breaks off, once; 0: never.
  void set_break_blob_after(int64_t bytes) { break_blob_after_ = bytes; }
  void set_blob_lies(bool lies) { blob_lies_ = lies; }
  // Reports are acknowledged in lots of so many, the last report of a work at once. 0: none.
  void set_acknowledge_every(int reports);

  // Sends `cancel` with the next command, and one right away.
  void Cancel();
  // Refuses every call from now on, and ends the stream, with UNAUTHENTICATED.
  void Disown();

  // Acknowledged reports. Numbers are 1, 2, ... or the test has failed already.
  std::vector<internal::v1::WorkerReport> reports() const;
  // The number of times that a report came again after it was acknowledged.
  int repeats() const;
  int signs_of_life() const;
  int streams() const;
  std::map<std::string, std::string> artifacts() const;
  void AddArtifact(const std::string& name, const std::string& bytes);
  // Waits until `condition` holds for the acknowledged reports; false after `limit`.
  bool WaitFor(const std::function<bool(const std::vector<internal::v1::WorkerReport>&)>& condition,
               absl::Duration limit = absl::Seconds(60)) const;
  // Whether the last report of a work is there.
  bool WaitForEnd(absl::Duration limit = absl::Seconds(60)) const;

 private:
  class Service;

  std::string address_;
  internal::v1::Task task_;
  int64_t break_blob_after_ = 0;
  bool blob_lies_ = false;
  std::unique_ptr<Service> service_;
};

}  // namespace mantissa::rpc

#endif  // MANTISSA_TESTS_SERVER_RPC_FAKE_WORKER_SERVICE_H_
