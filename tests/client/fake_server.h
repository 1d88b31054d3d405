// tests/client/fake_server.h
//
// A Mantissa server for tests of the client: real gRPC on 127.0.0.1, answers from plain data that
// a test sets, and breaks where a test says so.
//
//   FakeServer server;
//   server.AddJob(job, events);
//   server.BreakWatchAfter({3, 2});  // the first stream breaks after 3 events, the next after 2
//   client::Client::Connect({.address = server.address()});

#ifndef MANTISSA_TESTS_CLIENT_FAKE_SERVER_H_
#define MANTISSA_TESTS_CLIENT_FAKE_SERVER_H_

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "mantissa/v1/dataset.pb.h"
#include "mantissa/v1/job.pb.h"
#include "mantissa/v1/planner.pb.h"
#include "mantissa/v1/server.pb.h"

namespace mantissa {

struct FakeJob {
  v1::Job job;
  std::vector<v1::JobEvent> events;
  std::string log;
  std::map<std::string, std::string> artifacts;
  v1::JobMemory memory;
};

struct FakeBlob {
  std::string bytes;
  int64_t size = 0;
};

// What the fake knows and what it is to do wrong. The services lock `mutex`.
struct FakeState {
  absl::Mutex mutex;
  std::map<std::string, FakeJob> jobs ABSL_GUARDED_BY(mutex);
  std::map<std::string, FakeBlob> blobs ABSL_GUARDED_BY(mutex);
  std::map<std::string, v1::Dataset> datasets ABSL_GUARDED_BY(mutex);
  std::vector<v1::SubmitJobRequest> submitted ABSL_GUARDED_BY(mutex);
  std::vector<v1::CreateDatasetRequest> created ABSL_GUARDED_BY(mutex);
  std::vector<v1::ListJobsRequest> listed ABSL_GUARDED_BY(mutex);
  v1::PlanResponse plan ABSL_GUARDED_BY(mutex);
  // By method: calls so far, and errors still to give.
  std::map<std::string, int> calls ABSL_GUARDED_BY(mutex);
  std::map<std::string, std::deque<absl::Status>> failures ABSL_GUARDED_BY(mutex);
  // Messages, or bytes of an upload, after which the next stream breaks; empty: none does.
  std::deque<int64_t> watch_breaks, log_breaks, fetch_breaks, upload_breaks ABSL_GUARDED_BY(mutex);
  // Offsets and sequence numbers that streams were asked for.
  std::vector<int64_t> asked_from ABSL_GUARDED_BY(mutex);
  std::string last_token ABSL_GUARDED_BY(mutex);
  // A watch of a job that has not ended waits at its end until the server stops.
  bool stopping ABSL_GUARDED_BY(mutex) = false;
};

class FakeServer {
 public:
  FakeServer();
  ~FakeServer();

  // "127.0.0.1:PORT".
  const std::string& address() const { return address_; }

  // Ends all calls as a killed server would, and starts again at the same address.
  void Restart();
  void Stop();

  void AddJob(const v1::Job& job, const std::vector<v1::JobEvent>& events);
  // What GetJobMemory answers; FAILED_PRECONDITION before.
  void SetMemory(const std::string& id, const v1::JobMemory& memory);
  void SetLog(const std::string& id, const std::string& log);
  // The job's artifacts tell of it too. `declared`: a hash to declare instead of the right one.
  void AddArtifact(const std::string& id, const std::string& name, const std::string& bytes,
                   const std::string& declared = "");

  void BreakWatchAfter(std::deque<int64_t> events);
  void BreakLogsAfter(std::deque<int64_t> chunks);
  void BreakFetchAfter(std::deque<int64_t> chunks);
  void BreakUploadAfter(std::deque<int64_t> bytes);
  // The next call of `method` ("GetJob") gives `error`; several wait in order.
  void FailNext(const std::string& method, const absl::Status& error);

  int Calls(const std::string& method);

  FakeState& state() { return state_; }

 private:
  class Services;

  FakeState state_;
  std::string address_;
  std::unique_ptr<Services> services_;
};

// INVALID_ARGUMENT with a google.rpc.BadRequest, for FailNext.
absl::Status BadRequestError(const std::string& message, const std::string& field,
                             const std::string& description);

// NOT_FOUND with a google.rpc.ResourceInfo.
absl::Status MissingResourceError(const std::string& type, const std::string& name);

// The events of a job that trains for `steps` steps and ends in `end`: states, a plan, steps with
// a skipped one, a promotion, an evaluation. A second apart, from 2026-11-24 12:00:00 UTC on.
std::vector<v1::JobEvent> TrainingEvents(int steps, v1::JobState end);

// Memory of a step of `operators` operators with timelines: activations of 10 KiB each pile up and
// are taken down again, beside 40 KiB of masters and moments. Predicted are 4 % more.
v1::JobMemory SteppedMemory(int operators);

// The job they belong to, as it is after them.
v1::Job TrainedJob(const std::string& id, const std::vector<v1::JobEvent>& events);

}  // namespace mantissa

#endif  // MANTISSA_TESTS_CLIENT_FAKE_SERVER_H_
