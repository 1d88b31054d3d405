#include "kernels/packed/params.h"

#include <cstdint>

namespace mantissa::kernels {

RoundParams RoundParamsOf(const RoundSpec& spec) {
  const Format& format = spec.format;
  const int m = format.mantissa_bits;
  RoundParams params = {};
  params.max_bits = BitsOf(static_cast<float>(format.max_value()));
  params.overflow_bits = BitsOf(static_cast<float>(format.overflow_threshold()));
  // An infinity is a value of fp32, which changes nothing.
  const bool saturate = spec.overflow == Overflow::kSaturate && format != kFp32;
  params.overflow_to = saturate ? params.max_bits : kInfinityBits;
  params.shift = 23 - m;
  params.half = params.shift == 0 ? 0 : 1u << (params.shift - 1);
  params.keep = ~0u << params.shift;
  if (format.exponent_bits < 8) {
    params.min_normal = static_cast<float>(format.min_normal());
    params.subnormal_limit = BitsOf(params.min_normal);
    params.unit = static_cast<float>(format.min_subnormal());
    params.half_unit = params.unit / 2;
    params.unit_inverse = 1 / params.unit;
    params.magic = params.unit * 0x1p23f;
  }
  params.seed = spec.seed;
  params.offset = spec.offset;
  return params;
}

Rounding RoundingOf(const RoundSpec& spec) {
  return spec.format == kFp32 ? Rounding::kReference : spec.rounding;
}

CodeParams CodeParamsOf(const Format& format) {
  const int m = format.mantissa_bits;
  CodeParams params = {};
  params.bytes = format.bytes();
  params.shift = static_cast<uint32_t>(23 - m);
  params.sign = 1u << (format.bits() - 1);
  params.reserved = format.top_exponent_reserved;
  if (params.reserved) {
    params.infinity = ((1u << format.exponent_bits) - 1) << m;
    params.nan = params.infinity | 1u << (m - 1);
  } else {
    params.infinity = params.nan = params.sign;
  }
  params.max = params.infinity - 1;
  if (format.exponent_bits < 8) {
    params.min_normal = static_cast<float>(format.min_normal());
    params.subnormal_limit = BitsOf(params.min_normal);
  }
  return params;
}

}  // namespace mantissa::kernels
