#include "server/rpc/report_queue.h"

#include <utility>

namespace mantissa::rpc {
namespace {

// About what a report takes in memory: its fields, and the objects around them.
int64_t Size(const internal::v1::WorkerReport& report) {
  return static_cast<int64_t>(sizeof(report) + 2 * report.ByteSizeLong());
}

}  // namespace

void ReportQueue::Push(internal::v1::WorkerReport report) {
  report.set_number(next_number_++);
  bytes_ += Size(report);
  reports_.push_back(std::move(report));
}

const internal::v1::WorkerReport* ReportQueue::NextToSend() {
  return HasUnsent() ? &reports_[sent_++] : nullptr;
}

void ReportQueue::Acknowledge(int64_t number) {
  if (number >= next_number_) return;
  while (!reports_.empty() && reports_.front().number() <= number) {
    bytes_ -= Size(reports_.front());
    reports_.pop_front();
    if (sent_ > 0) --sent_;
  }
}

}  // namespace mantissa::rpc
