// server/rpc/worker_channel.h
//
// A worker's side of mantissa.internal.v1: fetches its task and data, streams its reports up and
// takes commands, and outlives restarts of the server.
//
//   WorkerChannel channel({.server = "unix:/data/worker.sock", .task = "t1", .token = token});
//   ASSIGN_OR_RETURN(internal::v1::Task task, channel.GetTask());
//   channel.StartReporting();
//   RETURN_IF_ERROR(channel.ReadBlob(sha256, size, path));
//   RETURN_IF_ERROR(channel.Report(std::move(report)));  // numbered, kept until acknowledged
//   RETURN_IF_ERROR(channel.Drain());                    // all is acknowledged
//
// Every call tries again, at most a second apart, while the server is away, for as long as
// `reconnect_limit`. Errors that trying again can't mend end the channel: UNAUTHENTICATED (this
// attempt is over for the server), and what else is not about the connection. Thread-safe.

#ifndef MANTISSA_SERVER_RPC_WORKER_CHANNEL_H_
#define MANTISSA_SERVER_RPC_WORKER_CHANNEL_H_

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "mantissa/internal/v1/worker.pb.h"

namespace mantissa::rpc {

struct WorkerChannelOptions {
  // `unix:/PATH` or `HOST:PORT`.
  std::string server;
  std::string task;
  std::string token;
  // A connection to the server that is there already, taken over; -1: it is dialled.
  int connected = -1;
  // How long the server may be away before the worker gives up.
  absl::Duration reconnect_limit = absl::Minutes(10);
  // Time between two signs of life; the server expects one every 5 seconds.
  absl::Duration alive_interval = absl::Seconds(3);
  // A stream on which nothing is acknowledged for so long is opened anew.
  absl::Duration stall_limit = absl::Seconds(60);
  // Bytes of reports kept until they are acknowledged; beyond it Report() waits.
  int64_t max_pending_bytes = int64_t{64} << 20;
};

class WorkerChannel {
 public:
  explicit WorkerChannel(WorkerChannelOptions options);
  // Ends the stream at once; what is not acknowledged is lost.
  ~WorkerChannel();
  WorkerChannel(const WorkerChannel&) = delete;
  WorkerChannel& operator=(const WorkerChannel&) = delete;

  absl::StatusOr<internal::v1::Task> GetTask();

  // For ReadBlob: the size is not known beforehand.
  static constexpr int64_t kAnySize = -1;

  // Writes a blob into the file `path`, replacing it. DataLoss if size or hash are not as said.
  absl::Status ReadBlob(const std::string& sha256, int64_t size_bytes, const std::string& path);
  // Writes an artifact of an earlier attempt into the file `path`. NotFound if there is none.
  absl::Status ReadArtifact(const std::string& name, const std::string& path);
  // Uploads the file `path` as an artifact, trying for `patience` at most where that is shorter
  // than the reconnect limit. DataLoss if the server got other bytes.
  absl::Status WriteArtifact(const std::string& name, const std::string& path, bool hidden,
                             absl::Duration patience = absl::InfiniteDuration());

  // Opens the stream of reports and shows signs of life from now on.
  void StartReporting();
  // Numbers the report and queues it. Waits where too much is unacknowledged, though not once a
  // cancellation is asked for. Returns why the channel ended, if it did.
  absl::Status Report(internal::v1::WorkerReport report);
  // Waits until all reports are acknowledged. Returns why the channel ended, if it did before.
  absl::Status Drain();
  // Whether the server wants the work to stop.
  bool cancelled() const;
  // OK while the channel works or tries to; else why it gave up.
  absl::Status health() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace mantissa::rpc

#endif  // MANTISSA_SERVER_RPC_WORKER_CHANNEL_H_
