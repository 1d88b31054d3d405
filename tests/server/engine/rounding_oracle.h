// Rounding by arithmetic on doubles, for tests: another way than the kernels'.
#ifndef MANTISSA_TESTS_SERVER_ENGINE_ROUNDING_ORACLE_H_
#define MANTISSA_TESTS_SERVER_ENGINE_ROUNDING_ORACLE_H_

#include <cmath>

#include "kernels/formats/format.h"

namespace mantissa::engine {

// `x` to the nearest value of `format`, ties to even; `gradient`: overflow to infinity, else to the
// largest value.
inline double OracleRound(double x, const kernels::Format& format, bool gradient) {
  if (x == 0 || std::isnan(x)) return x;
  const double magnitude = std::abs(x);
  if (magnitude >= format.overflow_threshold()) {
    return std::copysign(gradient ? INFINITY : format.max_value(), x);
  }
  const int exponent = std::max(std::ilogb(magnitude), format.min_exponent());
  const double unit = std::ldexp(1.0, exponent - format.mantissa_bits);
  return std::nearbyint(x / unit) * unit;
}

}  // namespace mantissa::engine

#endif  // MANTISSA_TESTS_SERVER_ENGINE_ROUNDING_ORACLE_H_
