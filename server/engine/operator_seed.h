// The numbers that LibTorch's random operators draw.
//
//   SeedOperators(device, numbers.Next());
//   at::Tensor y = at::bernoulli(x);
#ifndef MANTISSA_SERVER_ENGINE_OPERATOR_SEED_H_
#define MANTISSA_SERVER_ENGINE_OPERATOR_SEED_H_

#include <cstdint>

#include "c10/core/Device.h"

namespace mantissa::engine {

// What runs on the device next draws what follows from `seed`, which comes from base/random.h.
void SeedOperators(c10::Device device, uint64_t seed);

}  // namespace mantissa::engine

#endif  // MANTISSA_SERVER_ENGINE_OPERATOR_SEED_H_
