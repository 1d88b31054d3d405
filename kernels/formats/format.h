// A Format is a floating-point format fp(e, m, b) as data: 1 sign bit, e exponent bits, m mantissa
// bits, values scaled by 2^-b. Example:
//
//   constexpr Format low = kLowForward;                // fp(4,3,4)
//   static_assert(low.max_value() == 30.0 && low.bytes() == 1);
//   ASSIGN_OR_RETURN(Format high, ParseFormat("fp(6,9,0)"));   // == kHigh
//
// A code (E, f) with E > 0 means 2^(E - (2^(e-1) - 1)) * 1.f * 2^-b; E = 0 holds the subnormals,
// which are kept. No code is set aside for infinity or NaN, so the largest exponent is 2^(e-1) - b;
// fp32, bf16 and fp16 are IEEE's and do set the top exponent aside.
// Source: Lee, Sharma, Aiken, "Training with Mixed-Precision Floating-Point Assignments", TMLR
// 2023.
#ifndef MANTISSA_KERNELS_FORMATS_FORMAT_H_
#define MANTISSA_KERNELS_FORMATS_FORMAT_H_

#include <bit>
#include <cstdint>
#include <ostream>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace mantissa::kernels {

// Equal fields mean the same set of values. Build one with Fp() or ParseFormat(); all of its values
// are then float32 values too.
struct Format {
  int exponent_bits = 8;   // e; 2 to 8
  int mantissa_bits = 23;  // m; 1 to 22, or 23 with e = 8
  int bias_shift = 0;      // b; -32 to 32, and 0 with e = 8
  // The top exponent is set aside for infinity and NaN, as IEEE does. Always so with e = 8.
  bool top_exponent_reserved = true;

  // Exponents of the largest finite value and of the smallest normal one.
  constexpr int max_exponent() const {
    return (1 << (exponent_bits - 1)) - bias_shift - (top_exponent_reserved ? 1 : 0);
  }
  constexpr int min_exponent() const { return 2 - (1 << (exponent_bits - 1)) - bias_shift; }

  constexpr double max_value() const { return Exp2(max_exponent()) * (2.0 - Exp2(-mantissa_bits)); }
  // Magnitudes from here on count as overflow: half a unit above max_value(). Exact in double; for
  // fp32 it lies beyond the largest float32, so only infinity reaches it.
  constexpr double overflow_threshold() const {
    return Exp2(max_exponent()) * (2.0 - Exp2(-mantissa_bits - 1));
  }
  // Half of min_subnormal(): smaller magnitudes round to zero in every nearest mode.
  constexpr double underflow_threshold() const { return min_subnormal() * 0.5; }
  constexpr double min_normal() const { return Exp2(min_exponent()); }
  constexpr double min_subnormal() const { return Exp2(min_exponent() - mantissa_bits); }

  // Width of a stored element.
  constexpr int bits() const { return 1 + exponent_bits + mantissa_bits; }
  constexpr int bytes() const { return (bits() + 7) / 8; }

  // "fp32", "bf16", "fp16" or "fp(e,m,b)". ParseFormat(name()) gives the format back.
  std::string name() const;

  friend constexpr bool operator==(const Format&, const Format&) = default;
  template <typename H>
  friend H AbslHashValue(H h, const Format& f) {
    return H::combine(std::move(h), f.exponent_bits, f.mantissa_bits, f.bias_shift,
                      f.top_exponent_reserved);
  }
  friend std::ostream& operator<<(std::ostream& out, const Format& f) { return out << f.name(); }

 private:
  // 2^exponent. REQUIRES: -1022 <= exponent <= 1023.
  static constexpr double Exp2(int exponent) {
    return std::bit_cast<double>(static_cast<uint64_t>(exponent + 1023) << 52);
  }
};

// fp(e, m, b) as the paper writes it. REQUIRES: in the ranges given at Format's fields.
constexpr Format Fp(int e, int m, int b) { return {e, m, b, e == 8}; }

inline constexpr Format kFp32 = Fp(8, 23, 0);
inline constexpr Format kBf16 = Fp(8, 7, 0);
inline constexpr Format kFp16 = {5, 10, 0, true};
// The paper's three: any tensor; low activations and weights; low activation gradients.
inline constexpr Format kHigh = Fp(6, 9, 0);
inline constexpr Format kLowForward = Fp(4, 3, 4);
inline constexpr Format kLowBackward = Fp(5, 2, 0);

// InvalidArgument unless e, m and b are in the ranges given at Format's fields.
absl::Status CheckFormat(const Format& format);

// Reads what Format::name() writes; spaces around the numbers are allowed. InvalidArgument for
// anything else, and for an e, m or b outside the ranges given at Format's fields.
absl::StatusOr<Format> ParseFormat(absl::string_view text);

}  // namespace mantissa::kernels

#endif  // MANTISSA_KERNELS_FORMATS_FORMAT_H_
