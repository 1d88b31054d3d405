// The contract of MaskPositive() and ApplyMask(), on the device that this binary is linked with.
#include "kernels/packed/mask.h"

#include <bit>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "tests/kernels/packed/buffer.h"
#include "tests/kernels/packed/device.h"
#include "tests/kernels/packed/fixture.h"
#include "tests/kernels/packed/inputs.h"

namespace mantissa::kernels {
namespace {

// Float32 values of every sort; a 16-bit element is the upper or lower half of their bits.
std::vector<uint32_t> Bits(size_t n) {
  std::vector<uint32_t> bits;
  for (const float x : RandomInputs(kLowForward, n, /*seed=*/4)) {
    bits.push_back(std::bit_cast<uint32_t>(x));
  }
  const uint32_t special[] = {0x00000000u, 0x80000000u, 0x7F800000u, 0xFF800000u, 0x7F800001u,
                              0xFFC00000u, 0x00000001u, 0x80000001u, 0x7C007C00u, 0x7C017C01u,
                              0xFC00FC00u, 0x00010001u, 0x7F807F80u, 0x7F817F81u, 0xFF80FF80u};
  for (size_t i = 0; i < n && i < std::size(special); ++i) bits[n - 1 - i] = special[i];
  return bits;
}

bool IsPositive(Element element, uint32_t bits) {
  switch (element) {
    case Element::kFloat32:
      return std::bit_cast<float>(bits) > 0;
    case Element::kBFloat16:
      return std::bit_cast<float>(bits << 16) > 0;
    case Element::kFloat16:
      break;
  }
  const bool nan = (bits & 0x7C00u) == 0x7C00u && (bits & 0x3FFu) != 0;
  return bits != 0 && (bits & 0x8000u) == 0 && !nan;
}

template <typename Word>
class MaskRun {
 public:
  MaskRun(Element element, size_t first, size_t n, size_t offset)
      : element_(element), first_(first), n_(n), offset_(offset) {
    for (const uint32_t bits : Bits(n)) wide_.push_back(static_cast<Word>(bits));
  }

  void ExpectMask() {
    Buffer wide(wide_, offset_);
    Buffer mask(std::vector<uint8_t>(MaskBytes(first_ + n_) + 2, 0xC3));
    ASSERT_TRUE(
        MaskPositive(DeviceUnderTest(n_), element_, wide.data(), first_, n_, mask.data<uint8_t>())
            .ok());
    std::vector<uint8_t> want(MaskBytes(first_ + n_) + 2, 0xC3);
    for (size_t i = 0; i < n_; ++i) {
      uint8_t& byte = want[(first_ + i) / 8];
      if (i % 8 == 0) byte = 0;
      byte |= static_cast<uint8_t>(IsPositive(element_, wide_[i]) << (i % 8));
    }
    EXPECT_EQ(mask.Read<uint8_t>(), want);
    EXPECT_EQ(wide.Read<Word>(), wide_);
  }

  void ExpectApplied() {
    std::vector<uint8_t> bits(MaskBytes(first_ + n_));
    for (size_t i = 0; i < bits.size(); ++i) bits[i] = static_cast<uint8_t>(i * 151 + 77);
    Buffer mask(bits), wide(wide_, offset_);
    ASSERT_TRUE(
        ApplyMask(DeviceUnderTest(n_), element_, mask.data<uint8_t>(), first_, n_, wide.data())
            .ok());
    std::vector<Word> want = wide_;
    for (size_t i = 0; i < n_; ++i) {
      if ((bits[(first_ + i) / 8] >> (i % 8) & 1) == 0) want[i] = 0;
    }
    EXPECT_EQ(wide.Read<Word>(), want);
    EXPECT_EQ(mask.Read<uint8_t>(), bits);
  }

 private:
  Element element_;
  size_t first_, n_, offset_;
  std::vector<Word> wide_;
};

class MaskTest : public OnDevice<testing::TestWithParam<Element>> {
 protected:
  template <typename Run>
  void ForAll(const Run& run) {
    const size_t step = DeviceEffort() < 0.1 ? 33 : DeviceEffort() < 0.3 ? 11 : 1;
    std::vector<size_t> lengths = {1000, static_cast<size_t>(DeviceEffort() * 500'000) + 5};
    for (size_t n = 0; n <= 67; n += step) lengths.push_back(n);
    for (const size_t n : lengths) {
      SCOPED_TRACE("length " + std::to_string(n));
      for (const size_t first : {0, 24}) {
        for (const size_t offset : {0, 1}) {
          if (GetParam() == Element::kFloat32) {
            run(MaskRun<uint32_t>(GetParam(), first, n, offset));
          } else {
            run(MaskRun<uint16_t>(GetParam(), first, n, offset));
          }
        }
      }
    }
  }
};

TEST_P(MaskTest, HoldsABitForEachElementAboveZeroAndZerosBeyondTheLast) {
  ForAll([](auto run) { run.ExpectMask(); });
}

TEST_P(MaskTest, ZeroesElementsWhoseBitIsNotSetAndKeepsTheBitsOfOthers) {
  ForAll([](auto run) { run.ExpectApplied(); });
}

INSTANTIATE_TEST_SUITE_P(All, MaskTest,
                         testing::Values(Element::kFloat32, Element::kBFloat16, Element::kFloat16),
                         [](const auto& info) {
                           return info.param == Element::kFloat32    ? "Fp32"
                                  : info.param == Element::kBFloat16 ? "Bf16"
                                                                     : "Fp16";
                         });

TEST(MaskArgumentsTest, RefusesAPlaceWithinAByteAndNegativeExtents) {
  float wide = 1;
  uint8_t mask[2] = {};
  for (const auto& [first, n] : {std::pair(1, 1), std::pair(-8, 1), std::pair(0, -1)}) {
    EXPECT_EQ(MaskPositive(Device::Cpu(), Element::kFloat32, &wide, first, n, mask).code(),
              absl::StatusCode::kInvalidArgument);
    EXPECT_EQ(ApplyMask(Device::Cpu(), Element::kFloat32, mask, first, n, &wide).code(),
              absl::StatusCode::kInvalidArgument);
  }
}

}  // namespace
}  // namespace mantissa::kernels
