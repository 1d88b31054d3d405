#include "tests/models/sample_shapes.h"

#include <cstddef>

namespace mantissa::model_replay {

using planner::DType;

bool IsFloating(DType dtype) {
  return dtype == DType::kFloat32 || dtype == DType::kFloat64 || dtype == DType::kFloat16 ||
         dtype == DType::kBFloat16;
}

at::ScalarType TypeOf(DType dtype) {
  switch (dtype) {
    case DType::kFloat32:
      return at::kFloat;
    case DType::kFloat64:
      return at::kDouble;
    case DType::kFloat16:
      return at::kHalf;
    case DType::kBFloat16:
      return at::kBFloat16;
    case DType::kInt64:
      return at::kLong;
    case DType::kInt32:
      return at::kInt;
    case DType::kUInt8:
      return at::kByte;
    case DType::kBool:
      return at::kBool;
  }
  return at::kFloat;
}

std::vector<int64_t> SizesAt(const planner::Shape& shape, int64_t batch_size) {
  std::vector<int64_t> sizes;
  for (const planner::Dim& dim : shape) sizes.push_back(dim.At(batch_size));
  return sizes;
}

int64_t BatchDimension(const planner::Shape& shape) {
  for (size_t i = 0; i < shape.size(); ++i) {
    if (shape[i].times_batch) return static_cast<int64_t>(i);
  }
  return -1;
}

std::vector<int64_t> SampleSizes(const planner::Shape& shape) {
  std::vector<int64_t> sizes;
  for (const planner::Dim& dim : shape) {
    if (!dim.times_batch || dim.factor > 1) sizes.push_back(dim.factor);
  }
  return sizes;
}

}  // namespace mantissa::model_replay
