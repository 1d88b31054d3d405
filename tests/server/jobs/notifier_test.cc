#include "server/jobs/notifier.h"

#include "gtest/gtest.h"

namespace mantissa::jobs {
namespace {

TEST(Notifier, CallsEverySubscriberOfTheKeyAndNoOther) {
  Notifier notifier;
  int first = 0, second = 0, other = 0;
  notifier.Subscribe("job-1", [&] { ++first; });
  notifier.Subscribe("job-1", [&] { ++second; });
  notifier.Subscribe("job-2", [&] { ++other; });
  notifier.Notify("job-1");
  notifier.Notify("job-1");
  EXPECT_EQ(first, 2);
  EXPECT_EQ(second, 2);
  EXPECT_EQ(other, 0);
}

TEST(Notifier, CallsNobodyAfterUnsubscribing) {
  Notifier notifier;
  int calls = 0;
  const Notifier::Id id = notifier.Subscribe("job-1", [&] { ++calls; });
  notifier.Unsubscribe(id);
  notifier.Unsubscribe(id);
  notifier.Notify("job-1");
  EXPECT_EQ(calls, 0);
}

}  // namespace
}  // namespace mantissa::jobs
