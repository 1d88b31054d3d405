// Inputs for tests of rounding: everything that is special about a format, and random bits.
#ifndef MANTISSA_TESTS_KERNELS_PACKED_INPUTS_H_
#define MANTISSA_TESTS_KERNELS_PACKED_INPUTS_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "kernels/formats/format.h"
#include "tests/kernels/packed/oracle.h"

namespace mantissa::kernels {

// Every value of the format, every middle between two of them, the thresholds, each with its
// float32 neighbours up to 2 ulp away; float32's own zeros, subnormals, largest, infinities and
// NaNs. Both signs.
std::vector<float> SpecialInputs(const Oracle& oracle);

// `n` random bit patterns, a half of them of the exponents near which the format rounds.
std::vector<float> RandomInputs(const Format& format, size_t n, uint64_t seed);

}  // namespace mantissa::kernels

#endif  // MANTISSA_TESTS_KERNELS_PACKED_INPUTS_H_
