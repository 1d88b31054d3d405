// A tensor in the memory of the device under test, between margins that nobody may write. Example:
//
//   Buffer in(floats, /*offset=*/1), out = Buffer::Bytes(n);
//   ... Pack(device, spec, piece, Element::kFloat32, in.data(), out.data(), counts.data()) ...
//   std::vector<uint8_t> codes = out.Read<uint8_t>();
#ifndef MANTISSA_TESTS_KERNELS_PACKED_BUFFER_H_
#define MANTISSA_TESTS_KERNELS_PACKED_BUFFER_H_

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <vector>

#include "gtest/gtest.h"
#include "tests/kernels/packed/device.h"

namespace mantissa::kernels {

class Buffer {
 public:
  // Begins `offset` bytes after a 64-byte boundary.
  static Buffer Bytes(size_t bytes, size_t offset = 0) {
    return Buffer(std::vector<uint8_t>(bytes, kUntouched), offset);
  }
  // Holds `content`, and begins `offset` elements after a 64-byte boundary.
  template <typename T>
  explicit Buffer(const std::vector<T>& content, size_t offset = 0)
      : offset_(kMargin + offset * sizeof(T)), bytes_(content.size() * sizeof(T)) {
    std::vector<uint8_t> all(offset_ + bytes_ + kMargin, kUntouched);
    if (bytes_ > 0) std::memcpy(all.data() + offset_, content.data(), bytes_);
    memory_ = static_cast<uint8_t*>(AllocateOnDevice(all.size()));
    EXPECT_TRUE(CopyToDevice(memory_, all.data(), all.size()).ok());
  }
  ~Buffer() { FreeOnDevice(memory_); }
  Buffer(const Buffer&) = delete;
  Buffer& operator=(const Buffer&) = delete;

  template <typename T = void>
  T* data() {
    return reinterpret_cast<T*>(memory_ + offset_);
  }

  // What it holds. Fails the test if a margin was written to.
  template <typename T>
  std::vector<T> Read() const {
    std::vector<uint8_t> all(offset_ + bytes_ + kMargin);
    EXPECT_TRUE(CopyFromDevice(all.data(), memory_, all.size()).ok());
    for (size_t i = 0; i < all.size(); ++i) {
      if (i == offset_) i += bytes_;
      EXPECT_EQ(all[i], kUntouched) << "a margin was written to, " << i << " bytes in";
    }
    std::vector<T> content(bytes_ / sizeof(T));
    if (bytes_ > 0) std::memcpy(content.data(), all.data() + offset_, bytes_);
    return content;
  }

 private:
  static constexpr size_t kMargin = 64;
  static constexpr uint8_t kUntouched = 0xA5;

  size_t offset_, bytes_;
  uint8_t* memory_ = nullptr;
};

}  // namespace mantissa::kernels

#endif  // MANTISSA_TESTS_KERNELS_PACKED_BUFFER_H_
