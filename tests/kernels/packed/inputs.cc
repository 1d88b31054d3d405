#include "tests/kernels/packed/inputs.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <random>
#include <vector>

namespace mantissa::kernels {
namespace {

void AddWithNeighbours(double value, std::vector<float>& out) {
  const float centre = static_cast<float>(value);
  float x = std::nextafter(std::nextafter(centre, 0.0f), 0.0f);
  for (int i = 0; i < 5; ++i) {
    out.push_back(x);
    out.push_back(-x);
    x = std::nextafter(x, INFINITY);
  }
}

}  // namespace

std::vector<float> SpecialInputs(const Oracle& oracle) {
  std::vector<float> inputs;
  const std::vector<double>& values = oracle.values();
  for (size_t i = 0; i < values.size(); ++i) {
    AddWithNeighbours(values[i], inputs);
    if (i > 0) AddWithNeighbours((values[i - 1] + values[i]) / 2, inputs);
  }
  AddWithNeighbours(oracle.overflow_threshold(), inputs);
  for (const double tiny : {0x1p-149, 0x1p-148, 0x1p-127, 0x1p-126, 0x1p-125}) {
    AddWithNeighbours(tiny, inputs);
  }
  for (const uint32_t bits : {0x7F7FFFFFu, 0x7F800000u, 0x7F800001u, 0x7FBFFFFFu, 0x7FC00000u,
                              0x7FFFFFFFu, 0x00000000u, 0x007FFFFFu}) {
    inputs.push_back(std::bit_cast<float>(bits));
    inputs.push_back(std::bit_cast<float>(bits | 0x80000000u));
  }
  return inputs;
}

std::vector<float> RandomInputs(const Format& format, size_t n, uint64_t seed) {
  std::mt19937_64 random(seed);
  // From well below the smallest subnormal to beyond the largest value.
  const int first = std::max(0, format.min_exponent() - format.mantissa_bits - 26 + 127);
  const int last = std::min(255, format.max_exponent() + 2 + 127);
  std::vector<float> inputs(n);
  for (size_t i = 0; i < n; ++i) {
    uint32_t bits = static_cast<uint32_t>(random());
    if (i % 2 == 0) {
      const uint32_t exponent = first + random() % (last - first + 1);
      bits = (bits & 0x807FFFFFu) | exponent << 23;
    }
    inputs[i] = std::bit_cast<float>(bits);
  }
  return inputs;
}

}  // namespace mantissa::kernels
