// Philox 4x32-10, a counter-based random generator: block `i` of the stream `seed` is a pure
// function of both, so that threads, vector lanes and devices agree without sharing state. Example:
//
//   PhiloxBlock block = Philox(/*seed=*/7, /*index=*/n / 4);
//   uint32_t word = block.words[n % 4];   // the n-th random word
//
// Source: Salmon, Moraes, Dror, Shaw, "Parallel Random Numbers: As Easy as 1, 2, 3", SC 2011. The
// counter is {index low, index high, 0, 0}, the key {seed low, seed high}.
#ifndef MANTISSA_KERNELS_PACKED_PHILOX_H_
#define MANTISSA_KERNELS_PACKED_PHILOX_H_

#include <cstdint>

#ifdef __CUDACC__
#define MANTISSA_HOST_DEVICE __host__ __device__
#else
#define MANTISSA_HOST_DEVICE
#endif

namespace mantissa::kernels {

struct PhiloxBlock {
  uint32_t words[4];
};

inline constexpr int kPhiloxRounds = 10;
inline constexpr uint32_t kPhiloxMultiplier0 = 0xD2511F53u;
inline constexpr uint32_t kPhiloxMultiplier1 = 0xCD9E8D57u;
inline constexpr uint32_t kPhiloxWeyl0 = 0x9E3779B9u;
inline constexpr uint32_t kPhiloxWeyl1 = 0xBB67AE85u;

MANTISSA_HOST_DEVICE constexpr PhiloxBlock Philox(uint64_t seed, uint64_t index) {
  uint32_t c0 = static_cast<uint32_t>(index), c1 = static_cast<uint32_t>(index >> 32);
  uint32_t c2 = 0, c3 = 0;
  uint32_t k0 = static_cast<uint32_t>(seed), k1 = static_cast<uint32_t>(seed >> 32);
  for (int round = 0; round < kPhiloxRounds; ++round) {
    const uint64_t p0 = uint64_t{kPhiloxMultiplier0} * c0;
    const uint64_t p1 = uint64_t{kPhiloxMultiplier1} * c2;
    c0 = static_cast<uint32_t>(p1 >> 32) ^ c1 ^ k0;
    c1 = static_cast<uint32_t>(p1);
    c2 = static_cast<uint32_t>(p0 >> 32) ^ c3 ^ k1;
    c3 = static_cast<uint32_t>(p0);
    k0 += kPhiloxWeyl0;
    k1 += kPhiloxWeyl1;
  }
  return {{c0, c1, c2, c3}};
}

}  // namespace mantissa::kernels

#endif  // MANTISSA_KERNELS_PACKED_PHILOX_H_
