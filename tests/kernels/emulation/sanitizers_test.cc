// That a sanitizer sees through the emulator: built once for threads and once for addresses, each
// with the faults that it must name. A fault ends the process, so it happens in a child.
#include <cstdlib>
#include <vector>

#include "gtest/gtest.h"
#include "kernels/emulation/cuda.h"
#include "kernels/emulation/emulator.h"
#include "tests/kernels/emulation/kernels.h"

namespace mantissa::kernels {
namespace {

constexpr unsigned kBlocks = 3;

template <bool kWithBarrier>
void RunSum(emulation::Backend::Kind kind) {
  emulation::SetBackend({.kind = kind});
  const std::vector<int> in(kBlocks * kBlock, 1);
  int total = 0;
  MANTISSA_LAUNCH(SumKernel<kWithBarrier>, kBlocks, kBlock, nullptr)(in.data(), &total);
}

#if defined(__SANITIZE_THREAD__)

TEST(ThreadSanitizer, FindsARemovedBarrierAndPassesItsPresence) {
  testing::FLAGS_gtest_death_test_style = "threadsafe";
  const auto kind = emulation::Backend::kThreads;
  EXPECT_EXIT((RunSum<true>(kind), std::exit(0)), testing::ExitedWithCode(0), "");
  EXPECT_EXIT((RunSum<false>(kind), std::exit(0)), testing::ExitedWithCode(66), "data race");
}

TEST(ThreadSanitizer, FindsBlocksThatShareMemoryWithoutAtomics) {
  testing::FLAGS_gtest_death_test_style = "threadsafe";
  const auto run = [] {
    emulation::SetBackend({.kind = emulation::Backend::kThreads});
    int blocks = 0;
    MANTISSA_LAUNCH(RacingBlocksKernel, kBlocks, kBlock, nullptr)(&blocks);
    std::exit(0);
  };
  EXPECT_EXIT(run(), testing::ExitedWithCode(66), "data race");
}

#elif defined(__SANITIZE_ADDRESS__)

void ReadShared(unsigned index) {
  emulation::SetBackend({});
  int value = 0;
  MANTISSA_LAUNCH(SharedReadKernel, 1, kBlock, nullptr)(index, &value);
}

TEST(AddressSanitizer, FindsAReadPastSharedMemory) {
  ReadShared(3);
  EXPECT_DEATH(ReadShared(4), "heap-buffer-overflow");
}

TEST(AddressSanitizer, FindsAReadPastAnInput) {
  RunSum<true>(emulation::Backend::kFibres);
  const auto run = [] {
    const std::vector<int> in(kBlocks * kBlock - 1, 1);
    int total = 0;
    MANTISSA_LAUNCH(SumKernel<true>, kBlocks, kBlock, nullptr)(in.data(), &total);
  };
  EXPECT_DEATH(run(), "heap-buffer-overflow");
}

#else
#error "build this test with -fsanitize=thread or -fsanitize=address"
#endif

}  // namespace
}  // namespace mantissa::kernels
