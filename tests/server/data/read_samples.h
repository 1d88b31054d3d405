// tests/server/data/read_samples.h
//
// What a data set's samples are, as plain numbers.
//
//   EXPECT_THAT(LabelsOf(dataset, *dataset.train), ElementsAre(0, 1, 2));

#ifndef MANTISSA_TESTS_SERVER_DATA_READ_SAMPLES_H_
#define MANTISSA_TESTS_SERVER_DATA_READ_SAMPLES_H_

#include <cstdint>
#include <cstring>
#include <vector>

#include "absl/types/span.h"
#include "base/status.h"
#include "server/data/dataset.h"

namespace mantissa::data {

// All elements of an input, sample by sample. REQUIRES: T is its type.
template <typename T>
std::vector<T> ValuesOf(const LoadedDataset& dataset, const SampleSource& samples,
                        size_t input = 0) {
  const SampleTensor& tensor = dataset.inputs[input];
  MANTISSA_CHECK(BytesOf(tensor.type) == static_cast<int64_t>(sizeof(T)));
  std::vector<T> values(samples.size() * tensor.elements());
  for (int64_t i = 0; i < samples.size(); ++i) {
    char* out = reinterpret_cast<char*>(values.data() + i * tensor.elements());
    MANTISSA_CHECK_OK(samples.ReadInput(i, input, absl::MakeSpan(out, tensor.bytes())));
  }
  return values;
}

// All elements of a target of whole numbers that are not negative.
inline std::vector<int64_t> LabelsOf(const LoadedDataset& dataset, const SampleSource& samples) {
  const SampleTensor& tensor = dataset.target;
  std::vector<int64_t> labels;
  std::vector<char> bytes(tensor.bytes());
  for (int64_t i = 0; i < samples.size(); ++i) {
    MANTISSA_CHECK_OK(samples.ReadTarget(i, absl::MakeSpan(bytes)));
    for (int64_t e = 0; e < tensor.elements(); ++e) {
      int64_t label = 0;
      std::memcpy(&label, bytes.data() + e * BytesOf(tensor.type), BytesOf(tensor.type));
      labels.push_back(label);
    }
  }
  return labels;
}

}  // namespace mantissa::data

#endif  // MANTISSA_TESTS_SERVER_DATA_READ_SAMPLES_H_
