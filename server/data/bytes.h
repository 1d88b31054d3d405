// server/data/bytes.h
//
// A cursor over bytes that nobody vouches for: every read says whether there was enough.
//
//   ByteReader reader(file);
//   uint32_t magic;
//   if (!reader.ReadBe(&magic)) return Truncated(name);
//
// Not thread-safe. The bytes must outlive the reader and what it returns.

#ifndef MANTISSA_SERVER_DATA_BYTES_H_
#define MANTISSA_SERVER_DATA_BYTES_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <type_traits>

#include "absl/strings/string_view.h"

namespace mantissa::data {

class ByteReader {
 public:
  explicit ByteReader(absl::string_view bytes) : bytes_(bytes) {}

  size_t offset() const { return offset_; }
  size_t left() const { return bytes_.size() - offset_; }

  // False, and nothing changes, where fewer bytes are left. Le: little-endian; Be: big-endian.
  template <typename Integer>
  bool ReadLe(Integer* value) {
    return Read(value, false);
  }
  template <typename Integer>
  bool ReadBe(Integer* value) {
    return Read(value, true);
  }
  bool ReadBytes(uint64_t count, absl::string_view* value) {
    if (count > left()) return false;
    *value = bytes_.substr(offset_, count);
    offset_ += count;
    return true;
  }
  bool Skip(uint64_t count) {
    absl::string_view ignored;
    return ReadBytes(count, &ignored);
  }

 private:
  template <typename Integer>
  bool Read(Integer* value, bool big_endian) {
    static_assert(std::is_unsigned_v<Integer>);
    if (left() < sizeof(Integer)) return false;
    uint64_t result = 0;
    for (size_t i = 0; i < sizeof(Integer); ++i) {
      size_t shift = 8 * (big_endian ? sizeof(Integer) - 1 - i : i);
      result |= static_cast<uint64_t>(static_cast<uint8_t>(bytes_[offset_ + i])) << shift;
    }
    *value = static_cast<Integer>(result);
    offset_ += sizeof(Integer);
    return true;
  }

  absl::string_view bytes_;
  size_t offset_ = 0;
};

// a * b, or nothing where a factor is negative or the product does not fit.
inline std::optional<int64_t> CheckedProduct(int64_t a, int64_t b) {
  int64_t product;
  if (a < 0 || b < 0 || __builtin_mul_overflow(a, b, &product)) return std::nullopt;
  return product;
}

}  // namespace mantissa::data

#endif  // MANTISSA_SERVER_DATA_BYTES_H_
