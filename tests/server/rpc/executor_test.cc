#include "server/rpc/executor.h"

#include <atomic>

#include "absl/synchronization/notification.h"
#include "gtest/gtest.h"

namespace mantissa::rpc {
namespace {

TEST(Executor, RefusesWhatIsTooMuchAndTakesWhatWasAdmitted) {
  std::atomic<int> done = 0;
  absl::Notification started, go;
  {
    Executor executor(/*threads=*/1, /*max_waiting=*/2);
    executor.Post([&] {
      started.Notify();
      go.WaitForNotification();
    });
    started.WaitForNotification();
    EXPECT_TRUE(executor.TryPost([&] { ++done; }));
    EXPECT_TRUE(executor.TryPost([&] { ++done; }));
    EXPECT_FALSE(executor.TryPost([&] { ++done; }));
    executor.Post([&] { ++done; });
    go.Notify();
  }
  EXPECT_EQ(done, 3) << "the destructor runs what waits";
}

}  // namespace
}  // namespace mantissa::rpc
