// What Round() must give, worked out another way: by looking a value up among all values of the
// format, and in double arithmetic. Slow, and free of any code of kernels/packed but its enums.
//
//   Oracle oracle(kLowForward);
//   float y = oracle.Round(x, Rounding::kNearestEven, Overflow::kSaturate);
#ifndef MANTISSA_TESTS_KERNELS_PACKED_ORACLE_H_
#define MANTISSA_TESTS_KERNELS_PACKED_ORACLE_H_

#include <cstddef>
#include <vector>

#include "kernels/formats/format.h"
#include "kernels/packed/round.h"

namespace mantissa::kernels {

class Oracle {
 public:
  // REQUIRES: at most 16 bits.
  explicit Oracle(const Format& format);

  // All values that are not negative, ascending: the value of code i is values()[i].
  const std::vector<double>& values() const { return values_; }
  // Half a unit above the largest value.
  double overflow_threshold() const { return threshold_; }

  // REQUIRES: rounding is not kStochastic. A NaN gives a NaN.
  float Round(float x, Rounding rounding, Overflow overflow) const;
  // The neighbours of |x| among the values and the part of the way from the lower to the upper.
  // Both are the largest value for what is beyond it.
  struct Place {
    double lower, upper, part;
  };
  Place Find(float x) const;
  RoundCounts Count(float x, float rounded) const;

 private:
  double Nearest(double magnitude, bool ties_to_even) const;
  double Reference(double magnitude) const;

  Format format_;
  std::vector<double> values_;
  double threshold_;
};

}  // namespace mantissa::kernels

#endif  // MANTISSA_TESTS_KERNELS_PACKED_ORACLE_H_
