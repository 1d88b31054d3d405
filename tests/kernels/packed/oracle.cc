#include "tests/kernels/packed/oracle.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>

namespace mantissa::kernels {

Oracle::Oracle(const Format& format) : format_(format) {
  const int e = format.exponent_bits, m = format.mantissa_bits;
  const int bias = (1 << (e - 1)) - 1;
  const int exponents = (1 << e) - (format.top_exponent_reserved ? 1 : 0);
  for (int exponent = 0; exponent < exponents; ++exponent) {
    for (int fraction = 0; fraction < (1 << m); ++fraction) {
      const int significand = exponent == 0 ? fraction : fraction + (1 << m);
      const int power = std::max(exponent, 1) - bias - m - format.bias_shift;
      values_.push_back(std::ldexp(significand, power));
    }
  }
  const double last = values_.back(), unit = last - values_[values_.size() - 2];
  threshold_ = last + unit / 2;
}

Oracle::Place Oracle::Find(float x) const {
  const double magnitude = std::fabs(static_cast<double>(x));
  if (magnitude >= values_.back()) return {values_.back(), values_.back(), 0};
  const auto above = std::upper_bound(values_.begin(), values_.end(), magnitude);
  const double lower = *(above - 1), upper = *above;
  return {lower, upper, (magnitude - lower) / (upper - lower)};
}

double Oracle::Nearest(double magnitude, bool ties_to_even) const {
  const auto above = std::upper_bound(values_.begin(), values_.end(), magnitude);
  if (above == values_.end()) return values_.back();
  const double lower = *(above - 1), upper = *above, middle = (lower + upper) / 2;
  if (magnitude != middle) return magnitude < middle ? lower : upper;
  // The code's last bit is the mantissa's.
  const bool lower_is_even = (above - 1 - values_.begin()) % 2 == 0;
  return ties_to_even && lower_is_even ? lower : upper;
}

// Step by step, in the scaled world whose exponents know no shift.
double Oracle::Reference(double magnitude) const {
  const double scaled = std::ldexp(magnitude, format_.bias_shift);
  const int min_exponent = 2 - (1 << (format_.exponent_bits - 1));
  const double smallest_normal = std::ldexp(1.0, min_exponent);
  const auto round_away = [this](double value, int exponent) {
    const double unit = std::ldexp(1.0, exponent - format_.mantissa_bits);
    return std::floor(value / unit + 0.5) * unit;
  };
  double rounded;
  if (scaled < smallest_normal) {
    // The float32 sum lies in [smallest_normal, 2 * smallest_normal], where it has this spacing;
    // nearbyint takes ties to even, as float32 addition does.
    const double spacing = std::ldexp(1.0, min_exponent - 23);
    const double sum = smallest_normal + std::nearbyint(scaled / spacing) * spacing;
    rounded = round_away(sum, min_exponent) - smallest_normal;
  } else {
    rounded = round_away(scaled, std::ilogb(scaled));
  }
  return std::min(std::ldexp(rounded, -format_.bias_shift), values_.back());
}

float Oracle::Round(float x, Rounding rounding, Overflow overflow) const {
  if (std::isnan(x)) return x;
  const double magnitude = std::fabs(static_cast<double>(x));
  double rounded;
  if (magnitude >= threshold_) {
    rounded =
        overflow == Overflow::kInfinity ? std::numeric_limits<double>::infinity() : values_.back();
  } else if (rounding == Rounding::kReference) {
    rounded = Reference(magnitude);
  } else {
    rounded = Nearest(magnitude, rounding == Rounding::kNearestEven);
  }
  return std::copysign(static_cast<float>(rounded), x);
}

RoundCounts Oracle::Count(float x, float rounded) const {
  return {
      .overflow = std::fabs(static_cast<double>(x)) >= threshold_,
      .underflow = x != 0 && rounded == 0,
      .nonfinite = !std::isfinite(x),
  };
}

}  // namespace mantissa::kernels
