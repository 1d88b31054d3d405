// Philox4x32-10: random numbers as a pure function of a key and a counter.
//
//   // Four random words for element `i` of tensor `t` in step `s`, in any order, on any thread:
//   PhiloxBlock r = Philox({{i, 0, s, t}}, {{seed_low, seed_high}});
//
// Header-only and free of the library, so that CPU code, CUDA kernels and their emulation draw the
// same bits. Source: Salmon, Moraes, Dror, Shaw, "Parallel Random Numbers: As Easy as 1, 2, 3",
// SC 2011.
#ifndef MANTISSA_BASE_PHILOX_H_
#define MANTISSA_BASE_PHILOX_H_

#include <cstdint>

#if defined(__CUDACC__)
#define MANTISSA_HOST_DEVICE __host__ __device__
#else
#define MANTISSA_HOST_DEVICE
#endif

namespace mantissa {

struct PhiloxBlock {
  uint32_t word[4];
};

struct PhiloxKey {
  uint32_t word[2];
};

// Keys grow by the golden ratio and by sqrt(3) - 1.
inline constexpr int kPhiloxRounds = 10;
inline constexpr uint32_t kPhiloxMultiplier0 = 0xD2511F53u, kPhiloxMultiplier1 = 0xCD9E8D57u;
inline constexpr uint32_t kPhiloxWeyl0 = 0x9E3779B9u, kPhiloxWeyl1 = 0xBB67AE85u;

// Equal arguments give equal results; blocks for different counters are independent.
MANTISSA_HOST_DEVICE constexpr PhiloxBlock Philox(PhiloxBlock counter, PhiloxKey key) {
  for (int round = 0; round < kPhiloxRounds; ++round) {
    const uint64_t a = uint64_t{kPhiloxMultiplier0} * counter.word[0];
    const uint64_t b = uint64_t{kPhiloxMultiplier1} * counter.word[2];
    counter = PhiloxBlock{
        {static_cast<uint32_t>(b >> 32) ^ counter.word[1] ^ key.word[0], static_cast<uint32_t>(b),
         static_cast<uint32_t>(a >> 32) ^ counter.word[3] ^ key.word[1], static_cast<uint32_t>(a)}};
    key.word[0] += kPhiloxWeyl0;
    key.word[1] += kPhiloxWeyl1;
  }
  return counter;
}

}  // namespace mantissa

#endif  // MANTISSA_BASE_PHILOX_H_
