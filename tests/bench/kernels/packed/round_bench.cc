// Bytes per second of Round() on the CPU, beside memcpy of the same buffer in the same run.
//
//   bazel run //tests/bench/kernels/packed:round_bench
//
// A rounding reads and writes as much as the copy, so the copy is its roof. `/threads:N` splits the
// buffer among N threads.
#include <algorithm>
#include <cstdint>
#include <cstring>
#include <mutex>
#include <random>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/types/span.h"
#include "benchmark/benchmark.h"
#include "kernels/formats/format.h"
#include "kernels/packed/round.h"

namespace mantissa::kernels {
namespace {

// 256 KiB, 4 MiB and 128 MiB: in a core's cache, in the shared cache, in memory.
constexpr int64_t kSizes[] = {1 << 16, 1 << 20, 1 << 25};

// What activations look like: normal, a half of them cut to zero by ReLU.
std::vector<float> Activations(int64_t n) {
  std::mt19937 random(1);
  std::normal_distribution<float> normal;
  std::vector<float> values(static_cast<size_t>(n));
  for (float& value : values) value = std::max(0.0f, normal(random));
  return values;
}

// A thread's share of one buffer that all threads work on.
struct Share {
  Share(const benchmark::State& state, int64_t n)
      : begin(n * state.thread_index() / state.threads()),
        size(n * (state.thread_index() + 1) / state.threads() - begin) {}
  int64_t begin, size;
};

struct Buffers {
  explicit Buffers(int64_t n) : in(Activations(n)), out(in) {}
  std::vector<float> in, out;
};

Buffers& BuffersOf(int64_t n) {
  static std::vector<Buffers*>* const all = new std::vector<Buffers*>;
  static std::mutex mutex;
  std::lock_guard lock(mutex);
  for (Buffers* buffers : *all) {
    if (buffers->in.size() == static_cast<size_t>(n)) return *buffers;
  }
  return *all->emplace_back(new Buffers(n));
}

void BM_Memcpy(benchmark::State& state) {
  Buffers& buffers = BuffersOf(state.range(0));
  const Share share(state, state.range(0));
  for (auto _ : state) {
    std::memcpy(buffers.out.data() + share.begin, buffers.in.data() + share.begin,
                static_cast<size_t>(share.size) * sizeof(float));
    benchmark::ClobberMemory();
  }
  state.SetBytesProcessed(state.iterations() * share.size * static_cast<int64_t>(sizeof(float)));
}

void BM_Round(benchmark::State& state, const RoundSpec& spec) {
  Buffers& buffers = BuffersOf(state.range(0));
  const Share share(state, state.range(0));
  const auto in = absl::MakeConstSpan(buffers.in).subspan(share.begin, share.size);
  const auto out = absl::MakeSpan(buffers.out).subspan(share.begin, share.size);
  RoundCounts counts;
  for (auto _ : state) {
    if (!Round(Device::Cpu(), spec, in, out, &counts).ok()) state.SkipWithError("Round failed");
  }
  benchmark::DoNotOptimize(counts);
  state.SetBytesProcessed(state.iterations() * share.size * static_cast<int64_t>(sizeof(float)));
}

void Configure(benchmark::internal::Benchmark* bench) {
  for (const int64_t size : kSizes) bench->Arg(size);
  bench->ThreadRange(1, static_cast<int>(std::max(1u, std::thread::hardware_concurrency())));
  bench->UseRealTime();
}

bool RegisterAll() {
  Configure(benchmark::RegisterBenchmark("memcpy", BM_Memcpy));
  const std::pair<const char*, Rounding> roundings[] = {{"even", Rounding::kNearestEven},
                                                        {"reference", Rounding::kReference},
                                                        {"away", Rounding::kNearestAway},
                                                        {"stochastic", Rounding::kStochastic}};
  for (const auto& [name, rounding] : roundings) {
    for (const Format& format : {kLowForward, kHigh}) {
      const RoundSpec spec = {.format = format, .rounding = rounding};
      Configure(
          benchmark::RegisterBenchmark(("round/" + format.name() + "/" + name).c_str(),
                                       [spec](benchmark::State& state) { BM_Round(state, spec); }));
    }
  }
  return true;
}

[[maybe_unused]] const bool registered = RegisterAll();

}  // namespace
}  // namespace mantissa::kernels
