// That the emulator runs right kernels rightly and finds what is wrong with wrong ones.
#include "kernels/emulation/emulator.h"

#include <numeric>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "kernels/emulation/cuda.h"
#include "tests/kernels/emulation/kernels.h"

namespace mantissa::kernels {
namespace {

using ::testing::HasSubstr;

constexpr unsigned kBlocks = 3;

std::vector<int> Numbers() {
  std::vector<int> numbers(kBlocks * kBlock);
  std::iota(numbers.begin(), numbers.end(), 1);
  return numbers;
}

template <bool kWithBarrier>
int Sum(const emulation::Backend& backend) {
  emulation::SetBackend(backend);
  const std::vector<int> in = Numbers();
  int total = 0;
  MANTISSA_LAUNCH(SumKernel<kWithBarrier>, kBlocks, kBlock, nullptr)(in.data(), &total);
  EXPECT_EQ(cudaGetLastError(), cudaSuccess);
  return total;
}

class EmulatorTest : public testing::TestWithParam<emulation::Backend::Kind> {};

TEST_P(EmulatorTest, SumsABlockThroughShufflesBarrierAndAtomics) {
  const std::vector<int> in = Numbers();
  const int want = std::accumulate(in.begin(), in.end(), 0);
  for (uint64_t seed = 0; seed < 20; ++seed) {
    EXPECT_EQ(Sum<true>({.kind = GetParam(), .seed = seed}), want);
  }
}

TEST_P(EmulatorTest, BallotGathersTheVotesOfEachWarp) {
  emulation::SetBackend({.kind = GetParam()});
  const std::vector<int> in = Numbers();
  std::vector<unsigned> odd(in.size() / 32);
  MANTISSA_LAUNCH(OddLanesKernel, kBlocks, kBlock, nullptr)(in.data(), odd.data());
  EXPECT_EQ(odd, std::vector<unsigned>(odd.size(), 0x55555555u));
}

TEST_P(EmulatorTest, ReportsABarrierThatSomeThreadsMiss) {
  emulation::SetBackend({.kind = GetParam()});
  MANTISSA_LAUNCH(DivergentKernel, 1, kBlock, nullptr)();
  const cudaError_t error = cudaGetLastError();
  EXPECT_EQ(error, cudaErrorLaunchFailure);
  EXPECT_THAT(std::string(cudaGetErrorString(error)), HasSubstr("barrier"));
  EXPECT_EQ(cudaGetLastError(), cudaSuccess) << "an error is reported once";
}

TEST_P(EmulatorTest, SharedMemoryStartsAsGarbage) {
  emulation::SetBackend({.kind = GetParam()});
  int value = 0;
  MANTISSA_LAUNCH(SharedReadKernel, 1, kBlock, nullptr)(3u, &value);
  EXPECT_EQ(static_cast<unsigned>(value), 0xA5A5A5A5u);
}

INSTANTIATE_TEST_SUITE_P(All, EmulatorTest,
                         testing::Values(emulation::Backend::kFibres, emulation::Backend::kThreads),
                         [](const auto& info) {
                           return info.param == emulation::Backend::kFibres ? "Fibres" : "Threads";
                         });

TEST(EmulatorFibresTest, SomeOrderShowsThatABarrierIsMissing) {
  const std::vector<int> in = Numbers();
  const int want = std::accumulate(in.begin(), in.end(), 0);
  int wrong = 0;
  for (uint64_t seed = 0; seed < 20; ++seed) wrong += Sum<false>({.seed = seed}) != want;
  EXPECT_GT(wrong, 0);
}

TEST(EmulatorFibresTest, TheSameSeedGivesTheSameOrder) {
  for (uint64_t seed = 0; seed < 5; ++seed) {
    EXPECT_EQ(Sum<false>({.seed = seed}), Sum<false>({.seed = seed}));
  }
}

}  // namespace
}  // namespace mantissa::kernels
