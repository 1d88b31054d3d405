// Runs a CUDA kernel on the CPU, thread by thread, to find what a GPU would show only sometimes.
// Kernels see it through kernels/emulation/cuda.h; tests choose how it runs:
//
//   emulation::SetBackend({.kind = emulation::Backend::kFibres, .seed = 3});
//   MANTISSA_LAUNCH(Kernel, blocks, threads, nullptr)(in, out);   // returns when it is done
//   EXPECT_EQ(cudaGetLastError(), cudaSuccess);
//
// Fibres: a fibre a CUDA thread, one block after the other. A fibre runs until a barrier or
// shuffle; which one comes next is drawn from the seed, so a missing barrier gives wrong results
// for some seeds, and a barrier that only some threads reach is an error. Meant for ASan too:
// shared memory is on the heap and starts out as garbage. Threads: a std::thread a CUDA thread,
// several blocks at once, for ThreadSanitizer, which names both sides of a race. A barrier that
// only some threads of a block reach is an error here too.
//
// Launches and settings are for one host thread at a time.
#ifndef MANTISSA_KERNELS_EMULATION_EMULATOR_H_
#define MANTISSA_KERNELS_EMULATION_EMULATOR_H_

#include <cstddef>
#include <cstdint>
#include <functional>

namespace mantissa::emulation {

inline constexpr unsigned kWarpSize = 32;

struct Backend {
  enum Kind { kFibres, kThreads };
  Kind kind = kFibres;
  uint64_t seed = 0;  // of the order in which fibres run
};

void SetBackend(const Backend& backend);

struct Index {
  unsigned x = 0, y = 0, z = 0;
};

// What a kernel knows of itself.
struct ThreadView {
  Index thread, block, threads_per_block, blocks;
};
const ThreadView& CurrentThread();

// Runs `body` once for each thread. An error is kept for TakeError().
// REQUIRES: `threads` is a multiple of kWarpSize.
void Launch(unsigned blocks, unsigned threads, const std::function<void()>& body);

// Whether a launch failed since the last call, and the text of the last failure.
bool TakeError();
const char* ErrorText();

// The rest is called by kernels, each by all threads of a block or warp.
void BlockBarrier();
void WarpBarrier();
// Gives `word` to the warp; returns the one of `lane`, or its own if there is no such lane.
uint64_t Exchange(uint64_t word, unsigned lane);
unsigned Ballot(bool predicate);
// The block's memory of that tag.
void* SharedMemory(const void* tag, size_t size);

// `Bind(kernel, ...)(args...)` launches as `kernel<<<...>>>(args...)` does: arguments are copied.
template <typename... Params>
auto Bind(void (*kernel)(Params...), unsigned blocks, unsigned threads, void* /*stream*/) {
  return [=](Params... args) { Launch(blocks, threads, [=] { kernel(args...); }); };
}

}  // namespace mantissa::emulation

#endif  // MANTISSA_KERNELS_EMULATION_EMULATOR_H_
