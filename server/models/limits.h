// server/models/limits.h
//
// How large a model's archive may be. What is above is refused by name before memory is taken.

#ifndef MANTISSA_SERVER_MODELS_LIMITS_H_
#define MANTISSA_SERVER_MODELS_LIMITS_H_

#include <cstdint>

namespace mantissa::models {

struct Limits {
  // Bytes of one JSON file, unpacked. The largest language models have 10 MB.
  int64_t json_bytes = int64_t{64} << 20;
  // Values that are kept of one JSON file; each takes up to 100 bytes of memory.
  int64_t json_values = 3'000'000;
  // Objects and lists inside one another.
  int json_depth = 64;
  // Operators, those of nested graphs included.
  int64_t nodes = 200'000;
  // Dimensions of a tensor.
  int64_t dimensions = 16;
  // Elements of a tensor, for one sample of the batch.
  int64_t elements = int64_t{1} << 36;
  // Bytes of all parameters, buffers and constants together.
  int64_t weight_bytes = int64_t{256} << 30;
  // Bytes of one compressed entry of weights, unpacked. PyTorch does not compress them.
  int64_t compressed_bytes = int64_t{256} << 20;
  // Views of views of a tensor.
  int view_depth = 256;
};

}  // namespace mantissa::models

#endif  // MANTISSA_SERVER_MODELS_LIMITS_H_
