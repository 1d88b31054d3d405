#include "kernels/emulation/emulator.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "kernels/emulation/block.h"

namespace mantissa::emulation {
namespace {

// OS threads at a time in the thread back end.
constexpr unsigned kMaxThreads = 1024;

struct State {
  Backend backend;
  bool failed = false;
  std::string error;
};

State& GlobalState() {
  static State* state = new State;
  return *state;
}

std::string RunBlocksAtOnce(unsigned first, unsigned last, unsigned blocks, unsigned threads,
                            const std::function<void()>& body) {
  std::vector<std::thread> runners;
  std::vector<std::string> errors(last - first);
  for (unsigned b = first; b < last; ++b) {
    runners.emplace_back([&errors, &body, first, b, blocks, threads] {
      errors[b - first] = MakeThreadBlock({b}, blocks, threads)->Run(body);
    });
  }
  for (std::thread& runner : runners) runner.join();
  for (const std::string& error : errors) {
    if (!error.empty()) return error;
  }
  return "";
}

// Returns the turn in which all words of the warp now stand.
unsigned Publish(Thread& self, uint64_t word) {
  const unsigned turn = self.turn;
  self.words[turn] = word;
  self.turn ^= 1;
  WarpBarrier();
  return turn;
}

}  // namespace

Thread*& Current() {
  thread_local Thread* current = nullptr;
  return current;
}

Block::Block(Index block, unsigned blocks, unsigned threads) : threads_(threads) {
  for (unsigned t = 0; t < threads; ++t) {
    threads_[t].view = {{t}, block, {threads, 1, 1}, {blocks, 1, 1}};
    threads_[t].block_state = this;
  }
}

void* Block::Shared(const void* tag, size_t size) {
  std::lock_guard lock(mutex_);
  std::unique_ptr<std::byte[]>& memory = shared_[tag];
  if (memory == nullptr) {
    memory = std::make_unique<std::byte[]>(size);
    std::memset(memory.get(), 0xA5, size);
  }
  return memory.get();
}

void SetBackend(const Backend& backend) { GlobalState().backend = backend; }

const ThreadView& CurrentThread() { return Current()->view; }

void Launch(unsigned blocks, unsigned threads, const std::function<void()>& body) {
  State& state = GlobalState();
  std::string error;
  if (threads == 0 || threads % kWarpSize != 0) {
    error = "the emulator needs blocks of whole warps";
  }
  const unsigned at_once = state.backend.kind == Backend::kThreads
                               ? std::max(1u, kMaxThreads / std::max(1u, threads))
                               : 1;
  for (unsigned b = 0; b < blocks && error.empty(); b += at_once) {
    if (state.backend.kind == Backend::kThreads) {
      error = RunBlocksAtOnce(b, std::min(b + at_once, blocks), blocks, threads, body);
    } else {
      error = MakeFibreBlock({b}, blocks, threads, state.backend.seed + b)->Run(body);
    }
  }
  if (error.empty()) return;
  state.failed = true;
  state.error = std::move(error);
}

bool TakeError() { return std::exchange(GlobalState().failed, false); }

const char* ErrorText() { return GlobalState().error.c_str(); }

void BlockBarrier() { Current()->block_state->WaitForBlock(*Current()); }

void WarpBarrier() { Current()->block_state->WaitForWarp(*Current()); }

uint64_t Exchange(uint64_t word, unsigned lane) {
  Thread& self = *Current();
  const unsigned turn = Publish(self, word);
  if (lane >= kWarpSize) return word;
  return self.block_state->thread(self.warp() * kWarpSize + lane).words[turn];
}

unsigned Ballot(bool predicate) {
  Thread& self = *Current();
  const unsigned turn = Publish(self, predicate);
  unsigned votes = 0;
  for (unsigned lane = 0; lane < kWarpSize; ++lane) {
    const Thread& other = self.block_state->thread(self.warp() * kWarpSize + lane);
    votes |= static_cast<unsigned>(other.words[turn]) << lane;
  }
  return votes;
}

void* SharedMemory(const void* tag, size_t size) {
  return Current()->block_state->Shared(tag, size);
}

}  // namespace mantissa::emulation
