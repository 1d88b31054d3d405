// The thread back end: an OS thread a CUDA thread.
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "kernels/emulation/block.h"

namespace mantissa::emulation {
namespace {

// A barrier that notices when a thread ends while others wait for it, and then lets all pass.
class Barrier {
 public:
  explicit Barrier(unsigned size) : alive_(size) {}

  void Wait() {
    std::unique_lock lock(mutex_);
    diverged_ |= ended_;
    const uint64_t round = round_;
    ++waiting_;
    if (waiting_ >= alive_) return NextRound();
    turn_.wait(lock, [this, round] { return round_ != round; });
  }

  // The calling thread waits here no more.
  void End() {
    std::lock_guard lock(mutex_);
    ended_ = true;
    --alive_;
    diverged_ |= waiting_ > 0;
    if (waiting_ > 0 && waiting_ >= alive_) NextRound();
  }

  bool diverged() {
    std::lock_guard lock(mutex_);
    return diverged_;
  }

 private:
  void NextRound() {
    waiting_ = 0;
    ++round_;
    turn_.notify_all();
  }

  std::mutex mutex_;
  std::condition_variable turn_;
  unsigned alive_;
  unsigned waiting_ = 0;
  uint64_t round_ = 0;
  bool ended_ = false;
  bool diverged_ = false;
};

class ThreadBlock : public Block {
 public:
  ThreadBlock(Index block, unsigned blocks, unsigned threads)
      : Block(block, blocks, threads), all_(threads) {
    for (unsigned w = 0; w < threads / kWarpSize; ++w) {
      warps_.push_back(std::make_unique<Barrier>(kWarpSize));
    }
  }

  std::string Run(const std::function<void()>& body) override {
    std::vector<std::thread> runners;
    for (unsigned i = 0; i < size(); ++i) {
      runners.emplace_back([this, i, &body] {
        Thread& self = thread(i);
        Current() = &self;
        body();
        warps_[self.warp()]->End();
        all_.End();
      });
    }
    for (std::thread& runner : runners) runner.join();
    bool diverged = all_.diverged();
    for (const auto& warp : warps_) diverged |= warp->diverged();
    return diverged ? "some threads wait at a barrier that others miss" : "";
  }

  void WaitForBlock(Thread&) override { all_.Wait(); }
  void WaitForWarp(Thread& thread) override { warps_[thread.warp()]->Wait(); }

 private:
  Barrier all_;
  std::vector<std::unique_ptr<Barrier>> warps_;
};

}  // namespace

std::unique_ptr<Block> MakeThreadBlock(Index block, unsigned blocks, unsigned threads) {
  return std::make_unique<ThreadBlock>(block, blocks, threads);
}

}  // namespace mantissa::emulation
