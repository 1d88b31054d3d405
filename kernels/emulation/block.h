// What the two back ends of the emulator share: a block's threads, its shared memory, its barriers'
// failure. Internal to kernels/emulation.
#ifndef MANTISSA_KERNELS_EMULATION_BLOCK_H_
#define MANTISSA_KERNELS_EMULATION_BLOCK_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "kernels/emulation/emulator.h"

namespace mantissa::emulation {

class Block;

// A CUDA thread. `view` first: kernels read it.
struct Thread {
  ThreadView view;
  Block* block_state = nullptr;
  // What it gives to its warp, in turns: while others still read one word it may set the next.
  uint64_t words[2] = {};
  unsigned turn = 0;

  unsigned warp() const { return view.thread.x / kWarpSize; }
};

// The thread that runs on this OS thread now.
Thread*& Current();

class Block {
 public:
  Block(Index block, unsigned blocks, unsigned threads);
  virtual ~Block() = default;

  Block(const Block&) = delete;
  Block& operator=(const Block&) = delete;

  // Runs `body` in all threads. Empty, or what went wrong.
  virtual std::string Run(const std::function<void()>& body) = 0;
  // Waits for the block, or for the warp of `thread`.
  virtual void WaitForBlock(Thread& thread) = 0;
  virtual void WaitForWarp(Thread& thread) = 0;

  void* Shared(const void* tag, size_t size);
  Thread& thread(unsigned i) { return threads_[i]; }
  unsigned size() const { return static_cast<unsigned>(threads_.size()); }

 private:
  std::vector<Thread> threads_;
  std::mutex mutex_;
  std::map<const void*, std::unique_ptr<std::byte[]>> shared_;
};

std::unique_ptr<Block> MakeFibreBlock(Index block, unsigned blocks, unsigned threads,
                                      uint64_t seed);
std::unique_ptr<Block> MakeThreadBlock(Index block, unsigned blocks, unsigned threads);

}  // namespace mantissa::emulation

#endif  // MANTISSA_KERNELS_EMULATION_BLOCK_H_
