#include "server/engine/memory_meter.h"

#include <memory>
#include <thread>
#include <utility>
#include <vector>

#include "ATen/ATen.h"
#include "c10/core/CPUAllocator.h"
#include "c10/core/CachingDeviceAllocator.h"
#include "gtest/gtest.h"
#include "server/engine/accounting_allocator.h"
#include "server/engine/memory_ledger.h"

namespace mantissa::engine {
namespace {

using planner::MemoryByKind;
using planner::MemoryKind;

at::Tensor Bytes(int64_t bytes) { return at::empty({bytes}, at::kByte); }

void Tag(const at::Tensor& tensor, MemoryKind kind) { MemoryLedger::Process().Tag(tensor, kind); }

TEST(AccountingAllocator, CountsWhatIsAliveAndTheMostSinceTheReset) {
  AccountingAllocator& allocator = AccountingAllocator::Install();
  const int64_t before = allocator.live_bytes();
  allocator.ResetPeak();
  at::Tensor kept = Bytes(1000);
  Bytes(5000);
  EXPECT_EQ(allocator.live_bytes() - before, 1000);
  EXPECT_EQ(allocator.peak_bytes() - before, 6000);
  allocator.ResetPeak();
  EXPECT_EQ(allocator.peak_bytes() - before, 1000);
  kept.reset();
  EXPECT_EQ(allocator.live_bytes(), before);
}

TEST(AccountingAllocator, CountsDownWhereAnotherThreadFrees) {
  AccountingAllocator& allocator = AccountingAllocator::Install();
  const int64_t before = allocator.live_bytes();
  std::vector<at::Tensor> tensors;
  for (int i = 0; i < 64; ++i) tensors.push_back(Bytes(100 + i));
  std::vector<std::thread> threads;
  for (int thread = 0; thread < 4; ++thread) {
    threads.emplace_back([&tensors, thread] {
      for (int round = 0; round < 500; ++round) Bytes(round);
      for (size_t i = thread; i < tensors.size(); i += 4) tensors[i].reset();
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(allocator.live_bytes(), before);
}

TEST(AccountingAllocator, TakesNoMemoryForNoBytes) {
  AccountingAllocator& allocator = AccountingAllocator::Install();
  const int64_t before = allocator.live_bytes();
  const c10::DataPtr none = allocator.allocate(0);
  EXPECT_EQ(none.get(), nullptr);
  EXPECT_EQ(Bytes(0).numel(), 0);
  EXPECT_EQ(allocator.live_bytes(), before);
}

TEST(AccountingAllocator, AnswersRawCallsAsLibrariesMakeThem) {
  AccountingAllocator& allocator = AccountingAllocator::Install();
  ASSERT_EQ(c10::GetAllocator(at::kCPU), &allocator);
  const int64_t before = allocator.live_bytes();
  void* data = allocator.raw_allocate(300);
  EXPECT_EQ(allocator.live_bytes() - before, 300);
  allocator.raw_deallocate(data);
  EXPECT_EQ(allocator.live_bytes(), before);
}

TEST(AccountingAllocator, FreesMemoryThatItHasNotAllocated) {
  AccountingAllocator& allocator = AccountingAllocator::Install();
  const int64_t before = allocator.live_bytes();
  // As a library's that was allocated before the installation.
  allocator.raw_deallocate(c10::GetDefaultCPUAllocator()->raw_allocate(300));
  EXPECT_EQ(allocator.live_bytes(), before);
}

TEST(MemoryLedger, HoldsATagUntilTheLastViewOfTheMemoryIsGone) {
  AccountingAllocator::Install();
  const MemoryByKind before = MemoryLedger::Process().live();
  const auto activations = [&before] {
    return MemoryLedger::Process().live().of(MemoryKind::kActivations) -
           before.of(MemoryKind::kActivations);
  };
  at::Tensor tensor = Bytes(1000);
  Tag(tensor, MemoryKind::kActivations);
  at::Tensor view = tensor.view({10, 100}).select(0, 3);
  tensor.reset();
  EXPECT_EQ(activations(), 1000);
  view.reset();
  EXPECT_EQ(activations(), 0);
}

TEST(MemoryLedger, LetsTheFirstTagStandAndKeepsTheValues) {
  AccountingAllocator::Install();
  const MemoryByKind before = MemoryLedger::Process().live();
  const at::Tensor tensor = at::arange(100, at::kFloat);
  const void* data = tensor.data_ptr();
  Tag(tensor, MemoryKind::kGradients);
  Tag(tensor.view({10, 10}), MemoryKind::kActivations);
  const MemoryByKind now = MemoryLedger::Process().live();
  EXPECT_EQ(now.of(MemoryKind::kGradients) - before.of(MemoryKind::kGradients), 400);
  EXPECT_EQ(now.of(MemoryKind::kActivations), before.of(MemoryKind::kActivations));
  EXPECT_EQ(tensor.data_ptr(), data);
  EXPECT_EQ(tensor[99].item<float>(), 99);
}

TEST(MemoryLedger, IgnoresMemoryThatIsNotTheAllocators) {
  AccountingAllocator::Install();
  const MemoryByKind before = MemoryLedger::Process().live();
  std::vector<float> values(100);
  Tag(at::from_blob(values.data(), {100}), MemoryKind::kMasters);
  Tag(at::Tensor(), MemoryKind::kMasters);
  Tag(Bytes(0), MemoryKind::kMasters);
  EXPECT_EQ(MemoryLedger::Process().live(), before);
}

TEST(MemoryMeter, ExplainsThePeakByWhatWasAliveThen) {
  const std::unique_ptr<MemoryMeter> meter = MemoryMeter::Create(at::kCPU);
  const MemoryByKind before = meter->Live();
  meter->ResetPeak();
  at::Tensor saved = Bytes(1000);
  Tag(saved, MemoryKind::kActivations);
  {
    at::Tensor gradient = Bytes(500);
    Tag(gradient, MemoryKind::kGradients);
    Bytes(3000);
  }
  // Later and smaller: not what the peak was for.
  at::Tensor weights = Bytes(700);
  Tag(weights, MemoryKind::kWeights);

  const MemoryByKind peak = meter->Peak();
  EXPECT_EQ(peak.total() - before.total(), 4500);
  EXPECT_EQ(peak.of(MemoryKind::kActivations) - before.of(MemoryKind::kActivations), 1000);
  EXPECT_EQ(peak.of(MemoryKind::kGradients) - before.of(MemoryKind::kGradients), 500);
  EXPECT_EQ(peak.of(MemoryKind::kWeights), before.of(MemoryKind::kWeights));
  EXPECT_EQ(peak.of(MemoryKind::kWorkspace) - before.of(MemoryKind::kWorkspace), 3000);
}

TEST(MemoryMeter, ExplainsAPeakByTheTagThatFollowsIt) {
  const std::unique_ptr<MemoryMeter> meter = MemoryMeter::Create(at::kCPU);
  const MemoryByKind before = meter->Live();
  meter->ResetPeak();
  // The allocation is the peak, the tag comes after.
  at::Tensor saved = Bytes(1 << 20);
  Tag(saved, MemoryKind::kActivations);
  const MemoryByKind peak = meter->Peak();
  EXPECT_EQ(peak.of(MemoryKind::kActivations) - before.of(MemoryKind::kActivations), 1 << 20);
  EXPECT_EQ(peak.of(MemoryKind::kWorkspace), before.of(MemoryKind::kWorkspace));
}

TEST(MemoryMeter, CountsTheScratchMemoryOfAConvolution) {
  const std::unique_ptr<MemoryMeter> meter = MemoryMeter::Create(at::kCPU);
  const at::Tensor images = at::ones({2, 3, 16, 16}), weight = at::ones({4, 3, 3, 3});
  const int64_t before = meter->Live().total();
  meter->ResetPeak();
  const at::Tensor out = at::conv2d(images, weight, {}, 1, 1);
  EXPECT_GE(meter->Peak().total() - before, out.nbytes());
  EXPECT_EQ(meter->Live().total() - before, out.nbytes());
}

// A device's allocator as LibTorch's for CUDA is: it has statistics and no tensors here.
class CountingDevice : public c10::DeviceAllocator {
 public:
  void Grow(int64_t bytes) { bytes_.increase(bytes); }
  void Shrink(int64_t bytes) { bytes_.decrease(bytes); }

  bool initialized() override { return true; }
  void emptyCache(c10::MempoolId_t) override {}
  void recordStream(const c10::DataPtr&, c10::Stream) override {}
  c10::CachingDeviceAllocator::DeviceStats getDeviceStats(c10::DeviceIndex device) override {
    EXPECT_EQ(device, 0);
    c10::CachingDeviceAllocator::DeviceStats stats;
    stats.allocated_bytes[0] = bytes_;
    return stats;
  }
  void resetAccumulatedStats(c10::DeviceIndex) override {}
  void resetPeakStats(c10::DeviceIndex) override { bytes_.reset_peak(); }
  std::pair<size_t, size_t> getMemoryInfo(c10::DeviceIndex) override { return {700, 1000}; }
  c10::DataPtr allocate(size_t) override { return {}; }
  void copy_data(void*, const void*, size_t) const override {}

 private:
  c10::CachingAllocator::Stat bytes_;
};

TEST(MemoryMeter, ExplainsADevicesPeakByTheLedger) {
  static CountingDevice device;
  c10::SetAllocator(at::kPrivateUse1, &device);
  AccountingAllocator::Install();
  const std::unique_ptr<MemoryMeter> meter = MemoryMeter::Create(at::kPrivateUse1);
  const MemoryByKind before = MemoryLedger::Process().live();
  device.Grow(10000);
  meter->ResetPeak();
  // What the ledger knows stands for tensors of the device.
  const at::Tensor saved = Bytes(1000);
  Tag(saved, MemoryKind::kActivations);
  device.Grow(5000);
  device.Shrink(5000);
  EXPECT_EQ(meter->Peak().total(), 15000);
  EXPECT_EQ(meter->Peak().of(MemoryKind::kActivations), before.of(MemoryKind::kActivations) + 1000);
  EXPECT_EQ(meter->Peak().of(MemoryKind::kWorkspace), 15000 - before.total() - 1000);
  EXPECT_EQ(meter->Live().total(), 10000);
  meter->ResetPeak();
  EXPECT_EQ(meter->Peak().total(), 10000);
  EXPECT_EQ(meter->FreeBytes(), 700);
}

TEST(MemoryMeter, KnowsWhatTheMachineHasLeft) {
  EXPECT_GT(MemoryMeter::Create(at::kCPU)->FreeBytes(), 0);
}

}  // namespace
}  // namespace mantissa::engine
