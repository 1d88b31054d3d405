// Random numbers that are equal on every run: the only door to randomness but for secrets
// (token.h).
//
//   RandomStream shuffle(job.seed, /*stream=*/epoch);
//   std::vector<int64_t> order = shuffle.Permutation(images);
//
// A stream is a position in the Philox sequence of (seed, stream); streams with different numbers
// are independent, so that each purpose and epoch takes its own.
#ifndef MANTISSA_BASE_RANDOM_H_
#define MANTISSA_BASE_RANDOM_H_

#include <cstdint>
#include <vector>

#include "base/philox.h"

namespace mantissa {

// Not thread-safe; cheap to make and to copy.
class RandomStream {
 public:
  RandomStream(uint64_t seed, uint64_t stream);

  // 32 random bits.
  uint32_t Next();

  // Uniform in [0, 1), a multiple of 2^-53.
  double Uniform();

  // Uniform in [0, bound), without bias. REQUIRES: bound > 0.
  uint64_t Below(uint64_t bound);

  // Standard normal (Box-Muller).
  double Normal();

  // The numbers 0 .. count-1 in random order (Fisher-Yates). REQUIRES: count >= 0.
  std::vector<int64_t> Permutation(int64_t count);

 private:
  PhiloxKey key_;
  uint64_t stream_;
  uint64_t block_ = 0;      // index of the next block
  PhiloxBlock words_ = {};  // the block that words are taken from
  int used_ = 4;            // words of it taken
};

}  // namespace mantissa

#endif  // MANTISSA_BASE_RANDOM_H_
