// The kernels on the CPU against a copy, in the same run.
//
//   bazel run //tests/bench/kernels/packed:packed_bench
//
// Each line's `copy_ratio` is the time of a memcpy that moves as many bytes, in turn with the
// kernel's, over the kernel's time: 1 means as fast as the copy. A pack of float32 to a byte moves
// 5 bytes an element, so it is held against a copy of 2.5 bytes an element, which reads and writes
// them. `/threads:N` splits the tensor among N threads.
#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstring>
#include <functional>
#include <map>
#include <mutex>
#include <random>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/types/span.h"
#include "benchmark/benchmark.h"
#include "kernels/formats/format.h"
#include "kernels/packed/blockwise.h"
#include "kernels/packed/mask.h"
#include "kernels/packed/pack.h"
#include "kernels/packed/round.h"

namespace mantissa::kernels {
namespace {

// 256 KiB, 4 MiB and 128 MiB of float32: in a core's cache, in the shared cache, in memory.
constexpr int64_t kSizes[] = {1 << 16, 1 << 20, 1 << 25};

// What the kernels work on: room for elements of all kinds.
struct Tensors {
  explicit Tensors(int64_t n)
      : wide(static_cast<size_t>(n)),
        out(wide.size()),
        codes(4 * wide.size()),
        mask(MaskBytes(n)),
        scales(BlockCount(n)) {
    // As activations are: normal, a half of them cut to zero.
    std::mt19937 random(1);
    std::normal_distribution<float> normal;
    for (float& x : wide) x = std::max(0.0f, normal(random));
  }
  std::vector<float> wide, out;
  std::vector<uint8_t> codes, mask;
  std::vector<float> scales;
};

Tensors& TensorsOf(int64_t n) {
  static auto* const all = new std::map<int64_t, Tensors>;
  static std::mutex mutex;
  std::lock_guard lock(mutex);
  return all->try_emplace(n, n).first->second;
}

// A thread's part of the tensors, whole blocks of it.
struct Share {
  int64_t first, n;
};

struct Kernel {
  std::string name;
  double bytes;  // moved for an element
  std::function<absl::Status(Tensors&, const Share&)> run;
};

void BM_Kernel(benchmark::State& state, const Kernel& kernel) {
  using Clock = std::chrono::steady_clock;
  Tensors& tensors = TensorsOf(state.range(0));
  const int64_t n = state.range(0) / state.threads();
  const Share share = {.first = n * state.thread_index(), .n = n};
  const size_t half = static_cast<size_t>(static_cast<double>(n) * kernel.bytes / 2);
  std::vector<uint8_t> from(half, 1), to(half);
  double copying = 0, working = 0;
  for (auto _ : state) {
    const auto start = Clock::now();
    std::memcpy(to.data(), from.data(), half);
    benchmark::ClobberMemory();
    const auto middle = Clock::now();
    if (!kernel.run(tensors, share).ok()) state.SkipWithError("the kernel failed");
    benchmark::ClobberMemory();
    const std::chrono::duration<double> copied = middle - start, worked = Clock::now() - middle;
    state.SetIterationTime(worked.count());
    copying += copied.count();
    working += worked.count();
  }
  state.SetBytesProcessed(state.iterations() *
                          static_cast<int64_t>(static_cast<double>(n) * kernel.bytes));
  state.counters["copy_ratio"] =
      benchmark::Counter(copying / working, benchmark::Counter::kAvgThreads);
}

std::string NameOf(Rounding rounding) {
  switch (rounding) {
    case Rounding::kNearestEven:
      return "even";
    case Rounding::kNearestAway:
      return "away";
    case Rounding::kStochastic:
      return "stochastic";
    case Rounding::kReference:
      return "reference";
  }
  return "";
}

Kernel RoundKernel(const RoundSpec& spec) {
  return {"round/" + spec.format.name() + "/" + NameOf(spec.rounding), 8,
          [spec](Tensors& t, const Share& share) {
            RoundCounts counts;
            return Round(Device::Cpu(), spec, absl::MakeSpan(t.wide).subspan(share.first, share.n),
                         absl::MakeSpan(t.out).subspan(share.first, share.n), &counts);
          }};
}

Kernel PackKernel(const RoundSpec& spec) {
  return {"pack/" + spec.format.name() + "/" + NameOf(spec.rounding), 4.0 + spec.format.bytes(),
          [spec](Tensors& t, const Share& share) {
            RoundCounts counts;
            const Piece piece = {.first = share.first, .length = share.n};
            return Pack(Device::Cpu(), spec, piece, Element::kFloat32, t.wide.data() + share.first,
                        t.codes.data(), &counts);
          }};
}

Kernel UnpackKernel(const Format& format, Element element, Write write) {
  const int width = element == Element::kFloat32 ? 4 : 2;
  const bool add = write == Write::kAdd;
  return {"unpack/" + format.name() + (width == 4 ? "/fp32" : "/bf16") + (add ? "/add" : ""),
          static_cast<double>(format.bytes() + (add ? 2 : 1) * width),
          [=](Tensors& t, const Share& share) {
            auto* wide = reinterpret_cast<uint8_t*>(t.out.data()) + share.first * width;
            const Piece piece = {.first = share.first, .length = share.n};
            return Unpack(Device::Cpu(), format, piece, element, t.codes.data(), wide, write);
          }};
}

std::vector<Kernel> Kernels() {
  std::vector<Kernel> kernels;
  for (const Format& format : {kLowForward, kHigh}) {
    for (const Rounding rounding : {Rounding::kNearestEven, Rounding::kReference,
                                    Rounding::kNearestAway, Rounding::kStochastic}) {
      const RoundSpec spec = {.format = format, .rounding = rounding};
      kernels.push_back(RoundKernel(spec));
      kernels.push_back(PackKernel(spec));
    }
    kernels.push_back(UnpackKernel(format, Element::kFloat32, Write::kReplace));
    kernels.push_back(UnpackKernel(format, Element::kFloat32, Write::kAdd));
  }
  kernels.push_back(UnpackKernel(kLowForward, Element::kBFloat16, Write::kReplace));
  kernels.push_back({"mask_positive", 4.125, [](Tensors& t, const Share& share) {
                       return MaskPositive(Device::Cpu(), Element::kFloat32,
                                           t.wide.data() + share.first, share.first, share.n,
                                           t.mask.data());
                     }});
  kernels.push_back({"apply_mask", 8.125, [](Tensors& t, const Share& share) {
                       return ApplyMask(Device::Cpu(), Element::kFloat32, t.mask.data(),
                                        share.first, share.n, t.out.data() + share.first);
                     }});
  kernels.push_back({"pack_blocks", 5, [](Tensors& t, const Share& share) {
                       return PackBlocks(Device::Cpu(), BlockTable::kSigned,
                                         t.wide.data() + share.first, share.n,
                                         t.codes.data() + share.first,
                                         t.scales.data() + share.first / kBlockElements);
                     }});
  kernels.push_back({"unpack_blocks", 5, [](Tensors& t, const Share& share) {
                       return UnpackBlocks(Device::Cpu(), BlockTable::kSigned,
                                           t.codes.data() + share.first,
                                           t.scales.data() + share.first / kBlockElements, share.n,
                                           t.out.data() + share.first);
                     }});
  return kernels;
}

bool RegisterAll() {
  for (const Kernel& kernel : Kernels()) {
    auto* bench = benchmark::RegisterBenchmark(
        kernel.name.c_str(), [kernel](benchmark::State& state) { BM_Kernel(state, kernel); });
    for (const int64_t size : kSizes) bench->Arg(size);
    bench->ThreadRange(1, static_cast<int>(std::max(1u, std::thread::hardware_concurrency())));
    bench->UseManualTime();
  }
  return true;
}

[[maybe_unused]] const bool registered = RegisterAll();

}  // namespace
}  // namespace mantissa::kernels
