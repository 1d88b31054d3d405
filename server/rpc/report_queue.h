// server/rpc/report_queue.h
//
// Reports of a worker between being made and being acknowledged: numbered from 1, sent in order,
// sent again from the first unacknowledged one after a break.
//
//   queue.Push(report);                           // the working thread
//   while (const WorkerReport* next = queue.NextToSend()) stream->Write(*next);  // the stream's
//   queue.Acknowledge(command.acknowledged());
//
// Not thread-safe: WorkerChannel has the lock.

#ifndef MANTISSA_SERVER_RPC_REPORT_QUEUE_H_
#define MANTISSA_SERVER_RPC_REPORT_QUEUE_H_

#include <cstdint>
#include <deque>

#include "mantissa/internal/v1/worker.pb.h"

namespace mantissa::rpc {

class ReportQueue {
 public:
  void Push(internal::v1::WorkerReport report);
  // The next report in order, which then counts as sent; nullptr if all are. Good until the next
  // call to Push or Acknowledge.
  const internal::v1::WorkerReport* NextToSend();
  bool HasUnsent() const { return sent_ < reports_.size(); }
  // Forgets reports up to `number`. Numbers that were never given, or are forgotten, do nothing.
  void Acknowledge(int64_t number);
  // The stream broke: everything unacknowledged is to be sent again.
  void Rewind() { sent_ = 0; }

  bool empty() const { return reports_.empty(); }
  int64_t bytes() const { return bytes_; }

 private:
  std::deque<internal::v1::WorkerReport> reports_;  // unacknowledged, by number
  size_t sent_ = 0;                                 // of reports_, from the front
  int64_t next_number_ = 1;
  int64_t bytes_ = 0;
};

}  // namespace mantissa::rpc

#endif  // MANTISSA_SERVER_RPC_REPORT_QUEUE_H_
