// Formats of up to 16 bits, and float32 values and codes of all sorts: what is packed comes back as
// Round() has it, and every code that comes of a value gives that value again.
//
// Input: exponent bits, mantissa bits, bias shift, choices; then the floats, which are codes too.
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <vector>

#include "absl/types/span.h"
#include "base/status.h"
#include "kernels/formats/format.h"
#include "kernels/packed/pack.h"
#include "kernels/packed/round.h"

namespace mantissa::kernels {
namespace {

constexpr size_t kHead = 4;

RoundSpec SpecOf(const uint8_t* head) {
  RoundSpec spec;
  const int e = 2 + head[0] % 7;
  spec.format = {.exponent_bits = e,
                 .mantissa_bits = 1 + head[1] % (15 - e),
                 .bias_shift = e == 8 ? 0 : head[2] % 65 - 32,
                 .top_exponent_reserved = e == 8 || (head[3] & 1) != 0};
  spec.overflow = (head[3] & 2) != 0 ? Overflow::kInfinity : Overflow::kSaturate;
  spec.rounding = static_cast<Rounding>(head[3] / 4 % 4);
  spec.seed = head[3];
  return spec;
}

// Bits, but for NaNs; and for what a format without reserved exponent has no code for.
void CheckSame(const Format& format, float rounded, float unpacked) {
  const bool nan = std::isnan(rounded) || (!format.top_exponent_reserved && std::isinf(rounded));
  if (nan) {
    MANTISSA_CHECK(std::isnan(unpacked));
    return;
  }
  MANTISSA_CHECK(rounded == unpacked);
  const bool has_sign = format.top_exponent_reserved || rounded != 0;
  MANTISSA_CHECK(std::signbit(unpacked) == (has_sign && std::signbit(rounded)));
}

std::vector<float> Unpacked(const Format& format, const std::vector<uint8_t>& codes) {
  const int64_t n = static_cast<int64_t>(codes.size()) / format.bytes();
  std::vector<float> values(static_cast<size_t>(n));
  MANTISSA_CHECK_OK(Unpack(Device::Cpu(), format, Piece::Whole(n), Element::kFloat32, codes.data(),
                           values.data(), Write::kReplace));
  return values;
}

std::vector<uint8_t> Packed(const RoundSpec& spec, const std::vector<float>& in,
                            RoundCounts* counts) {
  const int64_t n = static_cast<int64_t>(in.size());
  std::vector<uint8_t> codes(static_cast<size_t>(n * spec.format.bytes()));
  MANTISSA_CHECK_OK(Pack(Device::Cpu(), spec, Piece::Whole(n), Element::kFloat32, in.data(),
                         codes.data(), counts));
  return codes;
}

void Run(const uint8_t* data, size_t size) {
  if (size < kHead) return;
  const RoundSpec spec = SpecOf(data);
  std::vector<float> in((size - kHead) / sizeof(float));
  if (in.empty()) return;
  std::memcpy(in.data(), data + kHead, in.size() * sizeof(float));

  std::vector<float> rounded = in;
  RoundCounts want, counts;
  MANTISSA_CHECK_OK(Round(Device::Cpu(), spec, in, absl::MakeSpan(rounded), &want));
  const std::vector<uint8_t> codes = Packed(spec, in, &counts);
  MANTISSA_CHECK(counts.overflow == want.overflow && counts.underflow == want.underflow &&
                 counts.nonfinite == want.nonfinite);
  const std::vector<float> values = Unpacked(spec.format, codes);
  for (size_t i = 0; i < in.size(); ++i) CheckSame(spec.format, rounded[i], values[i]);

  // Any code; bits beyond the format's are not its own.
  std::vector<uint8_t> any(data + kHead, data + kHead + codes.size());
  const uint32_t mask = (1u << spec.format.bits()) - 1;
  for (size_t i = 0; i < any.size(); ++i) {
    any[i] &= static_cast<uint8_t>(mask >> (8 * (i % static_cast<size_t>(spec.format.bytes()))));
  }
  RoundSpec again = spec;
  again.overflow = Overflow::kInfinity;
  const std::vector<float> held = Unpacked(spec.format, any);
  const std::vector<float> back = Unpacked(spec.format, Packed(again, held, &counts));
  for (size_t i = 0; i < held.size(); ++i) CheckSame(spec.format, held[i], back[i]);
}

}  // namespace
}  // namespace mantissa::kernels

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  mantissa::kernels::Run(data, size);
  return 0;
}
