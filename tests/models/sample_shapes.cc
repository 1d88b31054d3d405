#include "tests/models/sample_shapes.h"

#include <cstddef>

#include "absl/strings/match.h"

namespace mantissa::model_replay {

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

bool IsCustomary(const planner::Value& input) {
  return absl::StrContains(input.name, "mask") || absl::StrContains(input.name, "position") ||
         absl::StrContains(input.name, "type");
}

}  // namespace mantissa::model_replay
