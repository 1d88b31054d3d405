// Bytes per second of every kernel beside a copy on the same device, as a line of JSON.
//
//   kernel_bench --elements 268435456        on the GPU
//   kernel_bench --cpu --elements 1048576    the same calls on one thread of the CPU
//
// A kernel's bytes are those that it must read and write once. `of_copy` is its rate over that of a
// copy which moves as many bytes: 1.0 is the roof.

#include <cstdint>
#include <cstdio>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "CLI/CLI.hpp"
#include "base/status.h"
#include "kernels/formats/format.h"
#include "kernels/packed/blockwise.h"
#include "kernels/packed/mask.h"
#include "kernels/packed/pack.h"
#include "nlohmann/json.hpp"
#include "tests/gpu/machine.h"

namespace mantissa::kernels {
namespace {

using nlohmann::json;

struct Arguments {
  bool cpu = false;
  int64_t elements = int64_t{1} << 28;
  int runs = 10;
};

struct Kernel {
  std::string name;
  int64_t bytes;
  std::function<absl::Status()> run;
};

// Memory that the kernels share. Codes and mask hold what Pack and MaskPositive wrote, since these
// run first.
struct Buffers {
  float* wide;
  void* codes;
  uint8_t* mask;
  float* scales;
  RoundCounts* counts;
};

std::vector<Kernel> PackKernels(const Device& device, int64_t n, const Buffers& buffers) {
  const Piece whole = Piece::Whole(n);
  std::vector<Kernel> kernels;
  const auto add = [&](const std::string& what, const Format& format, Rounding rounding,
                       Element element) {
    const int64_t wide_bytes = element == Element::kFloat32 ? 4 * n : 2 * n;
    const int64_t bytes = wide_bytes + n * format.bytes();
    kernels.push_back({"pack " + what, bytes, [=] {
                         const RoundSpec spec = {.format = format, .rounding = rounding};
                         return Pack(device, spec, whole, element, buffers.wide, buffers.codes,
                                     buffers.counts);
                       }});
    kernels.push_back({"unpack " + what, bytes, [=] {
                         return Unpack(device, format, whole, element, buffers.codes, buffers.wide,
                                       Write::kReplace);
                       }});
  };
  add("fp(4,3,4) of fp32", kLowForward, Rounding::kNearestEven, Element::kFloat32);
  add("fp(5,2,0) of fp32", kLowBackward, Rounding::kNearestEven, Element::kFloat32);
  add("fp(4,3,4) of bf16", kLowForward, Rounding::kNearestEven, Element::kBFloat16);
  add("fp(6,9,0) of fp32", kHigh, Rounding::kNearestEven, Element::kFloat32);
  add("fp(4,3,4) of fp32, stochastic", kLowForward, Rounding::kStochastic, Element::kFloat32);
  add("bf16 of fp32, stochastic", kBf16, Rounding::kStochastic, Element::kFloat32);
  return kernels;
}

std::vector<Kernel> OtherKernels(const Device& device, int64_t n, const Buffers& buffers) {
  uint8_t* const codes = static_cast<uint8_t*>(buffers.codes);
  std::vector<Kernel> kernels = {
      {"mask of fp32", 4 * n + MaskBytes(n),
       [=] { return MaskPositive(device, Element::kFloat32, buffers.wide, 0, n, buffers.mask); }},
      {"apply mask to fp32", 8 * n + MaskBytes(n),
       [=] { return ApplyMask(device, Element::kFloat32, buffers.mask, 0, n, buffers.wide); }},
  };
  for (const auto& [name, table] :
       {std::pair<std::string, BlockTable>("momentum", BlockTable::kSigned),
        {"second moment", BlockTable::kUnsigned}}) {
    const int64_t bytes = 5 * n + 4 * BlockCount(n);
    kernels.push_back({"pack blocks, " + name, bytes, [=, table = table] {
                         return PackBlocks(device, table, buffers.wide, n, codes, buffers.scales);
                       }});
    kernels.push_back({"unpack blocks, " + name, bytes, [=, table = table] {
                         return UnpackBlocks(device, table, codes, buffers.scales, n, buffers.wide);
                       }});
  }
  return kernels;
}

json Measure(const Arguments& arguments, Machine& machine) {
  const int64_t n = arguments.elements;
  const Buffers buffers = {
      .wide = static_cast<float*>(machine.Allocate(4 * n)),
      .codes = machine.Allocate(2 * n),
      .mask = static_cast<uint8_t*>(machine.Allocate(MaskBytes(n))),
      .scales = static_cast<float*>(machine.Allocate(4 * BlockCount(n))),
      .counts = static_cast<RoundCounts*>(machine.Allocate(sizeof(RoundCounts)))};
  // Reads and writes 2 n bytes each.
  const double copy_seconds =
      machine.Seconds(arguments.runs, [&] { machine.Copy(buffers.codes, buffers.wide, 2 * n); });
  const double copy_rate = 4.0 * static_cast<double>(n) / copy_seconds;
  json kernels = json::array();
  std::vector<Kernel> all = PackKernels(machine.device(), n, buffers);
  for (Kernel& kernel : OtherKernels(machine.device(), n, buffers)) {
    all.push_back(std::move(kernel));
  }
  for (const Kernel& kernel : all) {
    const double seconds =
        machine.Seconds(arguments.runs, [&] { MANTISSA_CHECK_OK(kernel.run()); });
    const double rate = static_cast<double>(kernel.bytes) / seconds;
    kernels.push_back({{"name", kernel.name},
                       {"bytes", kernel.bytes},
                       {"seconds", seconds},
                       {"of_copy", rate / copy_rate}});
  }
  return {{"device", machine.name()},
          {"elements", n},
          {"copy_bytes_per_second", copy_rate},
          {"kernels", kernels}};
}

int Main(int argc, char** argv) {
  Arguments arguments;
  CLI::App app("Measures the kernels beside a copy.");
  app.add_flag("--cpu", arguments.cpu, "On the CPU");
  app.add_option("--elements", arguments.elements, "Elements of each tensor")
      ->check(CLI::Range(int64_t{1}, int64_t{1} << 33));
  app.add_option("--runs", arguments.runs, "Runs, of which the fastest counts")
      ->check(CLI::Range(1, 1000));
  CLI11_PARSE(app, argc, argv);
  const auto machine = MakeMachine(!arguments.cpu);
  if (!machine.ok()) {
    std::fprintf(stderr, "%s\n", std::string(machine.status().message()).c_str());
    return 1;
  }
  std::puts(Measure(arguments, **machine).dump().c_str());
  return 0;
}

}  // namespace
}  // namespace mantissa::kernels

int main(int argc, char** argv) { return mantissa::kernels::Main(argc, argv); }
