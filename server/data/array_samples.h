// server/data/array_samples.h
//
// Samples in memory or in a mapped file, a row each.
//
//   auto samples = MakeArraySamples({MakeColumn<float>("x", {2}, {1, 2, 3, 4})},
//                                   MakeColumn<int64_t>("y", {}, {0, 1}));
//   samples->size()  // 2

#ifndef MANTISSA_SERVER_DATA_ARRAY_SAMPLES_H_
#define MANTISSA_SERVER_DATA_ARRAY_SAMPLES_H_

#include <cstdint>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"
#include "server/data/samples.h"

namespace mantissa::data {

// One tensor of all samples.
struct Column {
  SampleTensor tensor;
  absl::string_view bytes;  // sample i's begin at i * stride
  int64_t stride = 0;       // at least tensor.bytes()
  int64_t rows = 0;
  std::shared_ptr<const void> owner;  // of `bytes`
};

// Of whole rows, one behind the other. REQUIRES: bytes.size() == rows * tensor.bytes().
Column MakeColumn(SampleTensor tensor, int64_t rows, std::string bytes);

// The same from numbers. REQUIRES: a whole number of rows.
template <typename T>
Column MakeColumn(absl::string_view name, std::vector<int64_t> shape, const std::vector<T>& values,
                  int64_t classes = 0) {
  constexpr ElementType kType = std::is_same_v<T, float>     ? ElementType::kFloat32
                                : std::is_same_v<T, uint8_t> ? ElementType::kUInt8
                                : std::is_same_v<T, int32_t> ? ElementType::kInt32
                                                             : ElementType::kInt64;
  static_assert(kType != ElementType::kInt64 || std::is_same_v<T, int64_t>);
  SampleTensor tensor{std::string(name), kType, std::move(shape), classes};
  const int64_t rows = static_cast<int64_t>(values.size()) / tensor.elements();
  return MakeColumn(
      std::move(tensor), rows,
      std::string(reinterpret_cast<const char*>(values.data()), values.size() * sizeof(T)));
}

// REQUIRES: all columns have as many rows.
std::shared_ptr<const SampleSource> MakeArraySamples(std::vector<Column> inputs, Column target);

}  // namespace mantissa::data

#endif  // MANTISSA_SERVER_DATA_ARRAY_SAMPLES_H_
