#include "base/random.h"

#include <cmath>
#include <numbers>
#include <numeric>
#include <utility>

#include "base/status.h"

namespace mantissa {
namespace {

uint32_t Low(uint64_t x) { return static_cast<uint32_t>(x); }
uint32_t High(uint64_t x) { return static_cast<uint32_t>(x >> 32); }

}  // namespace

RandomStream::RandomStream(uint64_t seed, uint64_t stream)
    : key_{{Low(seed), High(seed)}}, stream_(stream) {}

uint32_t RandomStream::Next() {
  if (used_ == 4) {
    words_ = Philox({{Low(block_), High(block_), Low(stream_), High(stream_)}}, key_);
    ++block_;
    used_ = 0;
  }
  return words_.word[used_++];
}

double RandomStream::Uniform() {
  const uint64_t high = Next();
  const uint64_t bits = (high << 32 | Next()) >> 11;
  return static_cast<double>(bits) * 0x1p-53;
}

uint64_t RandomStream::Below(uint64_t bound) {
  MANTISSA_CHECK(bound > 0);
  // Draws at or above the largest multiple of `bound` would favour small results: draw again.
  const uint64_t rejected = -bound % bound;  // 2^64 mod bound
  uint64_t draw;
  do {
    const uint64_t high = Next();
    draw = high << 32 | Next();
  } while (draw < rejected);
  return draw % bound;
}

double RandomStream::Normal() {
  const double u = 1.0 - Uniform();  // (0, 1], so that the logarithm is finite
  const double v = Uniform();
  return std::sqrt(-2.0 * std::log(u)) * std::cos(2.0 * std::numbers::pi * v);
}

std::vector<int64_t> RandomStream::Permutation(int64_t count) {
  MANTISSA_CHECK(count >= 0);
  std::vector<int64_t> order(count);
  std::iota(order.begin(), order.end(), 0);
  for (int64_t i = count - 1; i > 0; --i) std::swap(order[i], order[Below(i + 1)]);
  return order;
}

}  // namespace mantissa
