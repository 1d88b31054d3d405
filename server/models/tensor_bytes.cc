#include "server/models/tensor_bytes.h"

#include <cstring>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/status.h"
#include "server/models/dtypes.h"

namespace mantissa::models {
namespace {

using planner::DType;

float FromHalf(uint16_t bits) {
  const uint32_t sign = uint32_t{bits & 0x8000u} << 16;
  const uint32_t exponent = (bits >> 10) & 0x1f;
  uint32_t fraction = bits & 0x3ff;
  uint32_t single;
  if (exponent == 0x1f) {
    single = 0x7f800000 | (fraction << 13);
  } else if (exponent != 0) {
    single = ((exponent + 112) << 23) | (fraction << 13);
  } else if (fraction == 0) {
    single = 0;
  } else {
    // A subnormal number becomes a normal one.
    uint32_t shifted = 113;
    while ((fraction & 0x400) == 0) fraction <<= 1, --shifted;
    single = (shifted << 23) | ((fraction & 0x3ff) << 13);
  }
  single |= sign;
  float value;
  std::memcpy(&value, &single, sizeof(value));
  return value;
}

float FromBFloat16(uint16_t bits) {
  const uint32_t single = uint32_t{bits} << 16;
  float value;
  std::memcpy(&value, &single, sizeof(value));
  return value;
}

// Copies `count` elements that lie `stride` elements apart, converted if need be.
class Copier {
 public:
  explicit Copier(const StoredTensor& tensor)
      : from_(tensor.stored_dtype),
        to_(tensor.dtype),
        from_bytes_(BytesOf(from_)),
        to_bytes_(BytesOf(to_)) {}

  void Copy(const char* from, int64_t stride, int64_t count, char* to) const {
    if (from_ == to_ && stride == 1) {
      std::memcpy(to, from, static_cast<size_t>(count * from_bytes_));
      return;
    }
    for (int64_t i = 0; i < count; ++i) {
      CopyOne(from + i * stride * from_bytes_, to + i * to_bytes_);
    }
  }

 private:
  void CopyOne(const char* from, char* to) const {
    if (from_ == to_) {
      std::memcpy(to, from, static_cast<size_t>(from_bytes_));
      return;
    }
    float value;
    if (from_ == DType::kFloat64) {
      double wide;
      std::memcpy(&wide, from, sizeof(wide));
      value = static_cast<float>(wide);
    } else {
      uint16_t bits;
      std::memcpy(&bits, from, sizeof(bits));
      value = from_ == DType::kFloat16 ? FromHalf(bits) : FromBFloat16(bits);
    }
    std::memcpy(to, &value, sizeof(value));
  }

  const DType from_, to_;
  const int64_t from_bytes_, to_bytes_;
};

}  // namespace

absl::Status ReadTensor(const data::ZipArchive& zip, const StoredTensor& tensor,
                        const Limits& limits, absl::Span<char> out) {
  const int64_t elements = tensor.Elements();
  MANTISSA_CHECK(static_cast<int64_t>(out.size()) == elements * BytesOf(tensor.dtype),
                 tensor.name());
  MANTISSA_CHECK(tensor.dtype == tensor.stored_dtype || tensor.dtype == DType::kFloat32,
                 tensor.name());
  const data::ZipEntry& entry = zip.entries()[tensor.entry];
  std::string unpacked;
  ASSIGN_OR_RETURN(
      const absl::string_view bytes,
      zip.View(entry, entry.deflated ? limits.compressed_bytes : entry.size, unpacked));
  if (elements == 0) return absl::OkStatus();
  const char* from = bytes.data() + tensor.offset * BytesOf(tensor.stored_dtype);
  char* to = out.data();
  const Copier copier(tensor);
  const size_t rank = tensor.layout.sizes.size();
  if (tensor.layout.IsContiguous() || rank == 0) {
    copier.Copy(from, 1, elements, to);
    return absl::OkStatus();
  }
  // Rows of the last dimension, counted through like the wheels of an odometer.
  const int64_t row = tensor.layout.sizes[rank - 1];
  std::vector<int64_t> index(rank, 0);
  for (int64_t done = 0; done < elements; done += row) {
    int64_t at = 0;
    for (size_t i = 0; i + 1 < rank; ++i) at += index[i] * tensor.layout.strides[i];
    copier.Copy(from + at * BytesOf(tensor.stored_dtype), tensor.layout.strides[rank - 1], row, to);
    to += row * BytesOf(tensor.dtype);
    for (size_t i = rank - 1; i-- > 0;) {
      if (++index[i] < tensor.layout.sizes[i]) break;
      index[i] = 0;
    }
  }
  return absl::OkStatus();
}

}  // namespace mantissa::models
