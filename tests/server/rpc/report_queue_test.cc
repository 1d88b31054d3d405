#include "server/rpc/report_queue.h"

#include <gtest/gtest.h>

#include <string>

namespace mantissa::rpc {
namespace {

internal::v1::WorkerReport Notice(const std::string& text) {
  internal::v1::WorkerReport report;
  report.mutable_notice()->set_message(text);
  return report;
}

TEST(ReportQueue, NumbersFromOneAndSendsInOrder) {
  ReportQueue queue;
  EXPECT_EQ(queue.NextToSend(), nullptr);
  queue.Push(Notice("a"));
  queue.Push(Notice("b"));
  EXPECT_EQ(queue.NextToSend()->number(), 1);
  EXPECT_EQ(queue.NextToSend()->notice().message(), "b");
  EXPECT_FALSE(queue.HasUnsent());
}

TEST(ReportQueue, SendsTheUnacknowledgedAgainAfterABreak) {
  ReportQueue queue;
  for (const char* text : {"a", "b", "c"}) queue.Push(Notice(text));
  while (queue.NextToSend() != nullptr) {
  }
  queue.Acknowledge(1);
  queue.Rewind();
  EXPECT_EQ(queue.NextToSend()->number(), 2);
  EXPECT_EQ(queue.NextToSend()->number(), 3);
}

TEST(ReportQueue, AcknowledgingBeforeSendingAgainSkipsWhatIsKept) {
  ReportQueue queue;
  for (const char* text : {"a", "b", "c"}) queue.Push(Notice(text));
  queue.Rewind();
  queue.Acknowledge(2);
  EXPECT_EQ(queue.NextToSend()->number(), 3);
}

TEST(ReportQueue, ForgottenReportsGiveTheirBytesBack) {
  ReportQueue queue;
  queue.Push(Notice(std::string(1000, 'x')));
  EXPECT_GE(queue.bytes(), 1000);
  queue.Acknowledge(1);
  EXPECT_EQ(queue.bytes(), 0);
  EXPECT_TRUE(queue.empty());
}

TEST(ReportQueue, NumbersNeverGivenAreNotAcknowledged) {
  ReportQueue queue;
  queue.Push(Notice("a"));
  queue.Acknowledge(7);
  EXPECT_FALSE(queue.empty());
  queue.Acknowledge(0);
  queue.Acknowledge(-1);
  EXPECT_FALSE(queue.empty());
}

}  // namespace
}  // namespace mantissa::rpc
