// The fibre back end: ucontext fibres on one OS thread.
#include <ucontext.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/philox.h"
#include "kernels/emulation/block.h"

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/common_interface_defs.h>
#endif

namespace mantissa::emulation {
namespace {

constexpr size_t kStackBytes = 64 << 10;

enum class Waits { kNothing, kWarp, kBlock, kDone };

class FibreBlock : public Block {
 public:
  FibreBlock(Index block, unsigned blocks, unsigned threads, uint64_t seed)
      : Block(block, blocks, threads),
        fibres_(threads),
        stacks_(std::make_unique_for_overwrite<std::byte[]>(threads * kStackBytes)),
        key_{{static_cast<uint32_t>(seed), static_cast<uint32_t>(seed >> 32)}} {}

  std::string Run(const std::function<void()>& body) override;
  void WaitForBlock(Thread& thread) override { Yield(thread, Waits::kBlock); }
  void WaitForWarp(Thread& thread) override { Yield(thread, Waits::kWarp); }

 private:
  struct Fibre {
    ucontext_t context;
    Waits waits = Waits::kNothing;
    void* fake_stack = nullptr;  // AddressSanitizer's, while it does not run
  };

  static void Enter();
  std::byte* stack(unsigned i) { return stacks_.get() + i * kStackBytes; }
  void Start(unsigned i);
  void Resume(unsigned i);
  void Yield(Thread& thread, Waits waits);
  bool Release(unsigned first, unsigned count, Waits waits);

  std::vector<Fibre> fibres_;
  std::unique_ptr<std::byte[]> stacks_;
  const PhiloxKey key_;
  uint32_t draws_ = 0;
  const std::function<void()>* body_ = nullptr;
  ucontext_t scheduler_;
  // AddressSanitizer must be told of each switch of stacks.
  void* scheduler_fake_stack_ = nullptr;
  const void* scheduler_stack_ = nullptr;
  size_t scheduler_stack_bytes_ = 0;
};

void SwitchStarts([[maybe_unused]] void** fake_stack, [[maybe_unused]] const void* to,
                  [[maybe_unused]] size_t bytes) {
#if defined(__SANITIZE_ADDRESS__)
  __sanitizer_start_switch_fiber(fake_stack, to, bytes);
#endif
}

void SwitchEnds([[maybe_unused]] void* fake_stack, [[maybe_unused]] const void** from,
                [[maybe_unused]] size_t* bytes) {
#if defined(__SANITIZE_ADDRESS__)
  __sanitizer_finish_switch_fiber(fake_stack, from, bytes);
#endif
}

void FibreBlock::Enter() {
  Thread& thread = *Current();
  FibreBlock& block = static_cast<FibreBlock&>(*thread.block_state);
  SwitchEnds(nullptr, &block.scheduler_stack_, &block.scheduler_stack_bytes_);
  (*block.body_)();
  block.fibres_[thread.view.thread.x].waits = Waits::kDone;
  SwitchStarts(nullptr, block.scheduler_stack_, block.scheduler_stack_bytes_);
  // Returning resumes the scheduler: it is the context's link.
}

void FibreBlock::Start(unsigned i) {
  Fibre& fibre = fibres_[i];
  getcontext(&fibre.context);
  fibre.context.uc_stack.ss_sp = stack(i);
  fibre.context.uc_stack.ss_size = kStackBytes;
  fibre.context.uc_link = &scheduler_;
  makecontext(&fibre.context, &FibreBlock::Enter, 0);
}

void FibreBlock::Resume(unsigned i) {
  Current() = &thread(i);
  SwitchStarts(&scheduler_fake_stack_, stack(i), kStackBytes);
  swapcontext(&scheduler_, &fibres_[i].context);
  SwitchEnds(scheduler_fake_stack_, nullptr, nullptr);
  Current() = nullptr;
}

void FibreBlock::Yield(Thread& thread, Waits waits) {
  Fibre& fibre = fibres_[thread.view.thread.x];
  fibre.waits = waits;
  SwitchStarts(&fibre.fake_stack, scheduler_stack_, scheduler_stack_bytes_);
  swapcontext(&fibre.context, &scheduler_);
  SwitchEnds(fibre.fake_stack, &scheduler_stack_, &scheduler_stack_bytes_);
}

// Lets the threads from `first` go on if all `count` of them wait for `waits`.
bool FibreBlock::Release(unsigned first, unsigned count, Waits waits) {
  for (unsigned i = first; i < first + count; ++i) {
    if (fibres_[i].waits != waits) return false;
  }
  for (unsigned i = first; i < first + count; ++i) fibres_[i].waits = Waits::kNothing;
  return true;
}

std::string FibreBlock::Run(const std::function<void()>& body) {
  body_ = &body;
  for (unsigned i = 0; i < size(); ++i) Start(i);
  std::vector<unsigned> ready;
  while (true) {
    ready.clear();
    unsigned done = 0;
    for (unsigned i = 0; i < size(); ++i) {
      if (fibres_[i].waits == Waits::kNothing) ready.push_back(i);
      done += fibres_[i].waits == Waits::kDone;
    }
    if (done == size()) return "";
    // One at a time, any of them, and then whoever may go on: warps drift apart as on a GPU.
    while (!ready.empty()) {
      const size_t pick = Philox({{draws_++, 0, 0, 0}}, key_).word[0] % ready.size();
      const unsigned i = ready[pick];
      ready[pick] = ready.back();
      ready.pop_back();
      Resume(i);
      const unsigned first = i / kWarpSize * kWarpSize;
      if (fibres_[i].waits == Waits::kWarp && Release(first, kWarpSize, Waits::kWarp)) {
        for (unsigned lane = 0; lane < kWarpSize; ++lane) ready.push_back(first + lane);
      }
    }
    if (Release(0, size(), Waits::kBlock)) continue;
    for (const Fibre& fibre : fibres_) {
      if (fibre.waits != Waits::kDone) return "some threads wait at a barrier that others miss";
    }
  }
}

}  // namespace

std::unique_ptr<Block> MakeFibreBlock(Index block, unsigned blocks, unsigned threads,
                                      uint64_t seed) {
  return std::make_unique<FibreBlock>(block, blocks, threads, seed);
}

}  // namespace mantissa::emulation
