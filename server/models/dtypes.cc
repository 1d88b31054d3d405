#include "server/models/dtypes.h"

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

namespace mantissa::models {

using planner::DType;

absl::StatusOr<DType> ToDType(int64_t scalar_type) {
  switch (scalar_type) {
    case 1:
      return DType::kUInt8;
    case 4:
      return DType::kInt32;
    case 5:
      return DType::kInt64;
    case 6:
      return DType::kFloat16;
    case 7:
      return DType::kFloat32;
    case 8:
      return DType::kFloat64;
    case 12:
      return DType::kBool;
    case 13:
      return DType::kBFloat16;
  }
  return absl::InvalidArgumentError(absl::StrCat(
      "the element type ", scalar_type,
      " of torch.export is none that is trained here: float32, float64, float16, bfloat16, int64, "
      "int32, uint8 and bool are (7, 8, 6, 13, 5, 4, 1, 12). Convert the model with .float()."));
}

}  // namespace mantissa::models
