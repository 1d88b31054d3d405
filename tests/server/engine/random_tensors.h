// Tensors of random numbers, for tests: equal in every run.
#ifndef MANTISSA_TESTS_SERVER_ENGINE_RANDOM_TENSORS_H_
#define MANTISSA_TESTS_SERVER_ENGINE_RANDOM_TENSORS_H_

#include <cstdint>

#include "ATen/core/Tensor.h"
#include "ATen/ops/empty.h"
#include "base/random.h"

namespace mantissa::engine {

// Normal, with that deviation.
inline at::Tensor RandomTensor(at::IntArrayRef sizes, uint64_t seed, double deviation = 1) {
  RandomStream numbers(seed, /*stream=*/0);
  at::Tensor tensor = at::empty(sizes, at::kFloat);
  float* const data = tensor.mutable_data_ptr<float>();
  for (int64_t i = 0; i < tensor.numel(); ++i) {
    data[i] = static_cast<float>(deviation * numbers.Normal());
  }
  return tensor;
}

// Below `classes`.
inline at::Tensor RandomLabels(int64_t count, int64_t classes, uint64_t seed) {
  RandomStream numbers(seed, /*stream=*/1);
  at::Tensor labels = at::empty({count}, at::kLong);
  for (int64_t i = 0; i < count; ++i) {
    labels.mutable_data_ptr<int64_t>()[i] = static_cast<int64_t>(numbers.Below(classes));
  }
  return labels;
}

}  // namespace mantissa::engine

#endif  // MANTISSA_TESTS_SERVER_ENGINE_RANDOM_TENSORS_H_
