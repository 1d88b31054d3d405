// The contract of Pack() and Unpack() as to where elements stand: pieces, lengths, alignments.
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "gtest/gtest.h"
#include "kernels/formats/format.h"
#include "kernels/packed/pack.h"
#include "kernels/packed/round.h"
#include "tests/kernels/packed/device.h"
#include "tests/kernels/packed/fixture.h"
#include "tests/kernels/packed/inputs.h"
#include "tests/kernels/packed/oracle.h"
#include "tests/kernels/packed/packing.h"

namespace mantissa::kernels {
namespace {

constexpr Element kElements[] = {Element::kFloat32, Element::kBFloat16, Element::kFloat16};
constexpr Format kFormats[] = {kLowForward, kHigh, kFp32};

struct Case {
  Rounding rounding;
  Format format;
  Element element;
};

class PackPieceTest : public OnDevice<testing::TestWithParam<Case>> {
 protected:
  RoundSpec spec() const {
    return {
        .format = GetParam().format, .rounding = GetParam().rounding, .seed = 77, .offset = 1001};
  }

  // Bits of elements, as the wide side has them.
  std::vector<uint32_t> Wide(size_t n) const {
    std::vector<float> floats = RandomInputs(kLowForward, n, /*seed=*/5);
    if (GetParam().element != Element::kFloat32) {
      const Oracle oracle(FormatOf(GetParam().element));
      for (float& x : floats) x = oracle.Round(x, Rounding::kNearestEven, Overflow::kInfinity);
    }
    return ElementsOf(floats, GetParam().element);
  }

  // One after the other on one thread of the CPU, element by element: no piece, no vector.
  Packed OneByOne(const Piece& piece, const std::vector<uint32_t>& wide,
                  std::vector<uint32_t> codes) const {
    Packed want;
    int64_t i = 0;
    for (int64_t row = 0; row < piece.rows; ++row) {
      for (int64_t column = 0; column < piece.length; ++column, ++i) {
        const int64_t place = piece.first + row * piece.stride + column;
        RoundSpec at = spec();
        at.offset += static_cast<uint64_t>(place);
        uint32_t code = 0;
        EXPECT_TRUE(Pack(Device::Cpu(), at, Piece::Whole(1), GetParam().element, &wide[i], &code,
                         &want.counts)
                        .ok());
        codes[static_cast<size_t>(place)] = code;
      }
    }
    want.codes = std::move(codes);
    return want;
  }

  void ExpectPacks(const Piece& piece, size_t tensor, const Offsets& offsets) const {
    const std::vector<uint32_t> wide = Wide(static_cast<size_t>(piece.elements()));
    const std::vector<uint32_t> before(tensor, 0x5A);
    const Packed want = OneByOne(piece, wide, before);
    const Packed got = PackOnDevice(spec(), piece, GetParam().element, wide, before, offsets);
    ExpectSameCodes({}, got.codes, want.codes);
    ExpectSameCounts(got.counts, want.counts);

    // And back: what the codes give that stand side by side.
    std::vector<uint32_t> gathered(wide.size());
    for (size_t i = 0; i < wide.size(); ++i) {
      const int64_t row = static_cast<int64_t>(i) / piece.length;
      gathered[i] =
          got.codes[static_cast<size_t>(piece.first + row * (piece.stride - piece.length)) + i];
    }
    const std::vector<uint32_t> before_wide(wide.size(), 0x77);
    EXPECT_EQ(UnpackOnDevice(spec().format, piece, GetParam().element, got.codes, before_wide,
                             Write::kReplace, offsets),
              UnpackOnDevice(spec().format, Piece::Whole(piece.elements()), GetParam().element,
                             gathered, before_wide, Write::kReplace));
  }
};

TEST_P(PackPieceTest, EveryLengthAndAlignmentGivesTheCodesAndCountsOfEachElementAlone) {
  const int64_t step = DeviceEffort() < 0.1 ? 33 : DeviceEffort() < 0.3 ? 11 : 1;
  std::vector<int64_t> lengths = {1000, 1025};
  for (int64_t n = 0; n <= 67; n += step) lengths.push_back(n);
  for (const int64_t n : lengths) {
    SCOPED_TRACE("length " + std::to_string(n));
    ExpectPacks(Piece::Whole(n), static_cast<size_t>(n), {});
    ExpectPacks(Piece::Whole(n), static_cast<size_t>(n), {.wide = 3, .codes = 1});
    ExpectPacks({.first = 7, .length = n}, static_cast<size_t>(n) + 9, {.wide = 7, .codes = 0});
  }
}

TEST_P(PackPieceTest, RowsAreTakenAndPutWhereTheyStandAndNothingElseIsTouched) {
  // Channels of images of 4x4, 7x7 and 14x14; a column; rows longer than what is done at a time.
  for (const Piece& piece : {Piece{.first = 32, .rows = 5, .length = 64, .stride = 128},
                             Piece{.first = 49, .rows = 4, .length = 147, .stride = 490},
                             Piece{.first = 196, .rows = 3, .length = 392, .stride = 784},
                             Piece{.first = 3, .rows = 50, .length = 1, .stride = 5},
                             Piece{.first = 0, .rows = 3, .length = 1100, .stride = 1200}}) {
    const int64_t end = piece.first + (piece.rows - 1) * piece.stride + piece.length;
    SCOPED_TRACE("rows of " + std::to_string(piece.length));
    ExpectPacks(piece, static_cast<size_t>(end) + 3, {});
  }
}

std::vector<Case> AllCases() {
  std::vector<Case> cases;
  for (const Rounding rounding : {Rounding::kNearestEven, Rounding::kStochastic}) {
    for (const Format& format : kFormats) {
      for (const Element element : kElements) cases.push_back({rounding, format, element});
    }
  }
  return cases;
}

INSTANTIATE_TEST_SUITE_P(All, PackPieceTest, testing::ValuesIn(AllCases()), [](const auto& info) {
  return NameOf(info.param.rounding) + NameOf(info.param.format) + "From" +
         NameOf(FormatOf(info.param.element));
});

TEST(PackFarTest, ElementsBeyondTwoToTheThirtyOneAreReached) {
  if (const std::string why = WhyNoDevice(); !why.empty()) GTEST_SKIP() << why;
  if (DeviceEffort() < 0.1) GTEST_SKIP() << "a sanitizer's shadow would not fit";
  constexpr int64_t kFar = int64_t{1} << 31, kLength = 48;
  // Its pages are not touched but for the rows.
  auto* codes = static_cast<uint8_t*>(AllocateOnDevice(kFar + 2 * kLength));
  ASSERT_NE(codes, nullptr);
  const Piece piece = {.first = kLength, .rows = 2, .length = kLength, .stride = kFar};
  std::vector<float> in(2 * kLength);
  for (size_t i = 0; i < in.size(); ++i) in[i] = static_cast<float>(i) / 16;
  float* wide = static_cast<float*>(AllocateOnDevice(in.size() * sizeof(float)));
  auto* counts = static_cast<RoundCounts*>(AllocateOnDevice(sizeof(RoundCounts)));
  ASSERT_TRUE(CopyToDevice(wide, in.data(), in.size() * sizeof(float)).ok());
  const Device device = DeviceUnderTest(1);
  ASSERT_TRUE(
      Pack(device, {.format = kLowForward}, piece, Element::kFloat32, wide, codes, counts).ok());
  std::vector<uint8_t> far(kLength);
  ASSERT_TRUE(CopyFromDevice(far.data(), codes + kLength + kFar, kLength).ok());
  const std::vector<float> tail(in.begin() + kLength, in.end());
  const std::vector<uint32_t> want = PackOnDevice({.format = kLowForward}, tail).codes;
  EXPECT_EQ(std::vector<uint32_t>(far.begin(), far.end()), want);

  std::vector<float> out(in.size());
  ASSERT_TRUE(CopyToDevice(wide, out.data(), out.size() * sizeof(float)).ok());
  ASSERT_TRUE(
      Unpack(device, kLowForward, piece, Element::kFloat32, codes, wide, Write::kReplace).ok());
  ASSERT_TRUE(CopyFromDevice(out.data(), wide, out.size() * sizeof(float)).ok());
  EXPECT_EQ(std::vector<float>(out.begin() + kLength, out.end()),
            UnpackOnDevice(kLowForward, want));
  for (void* memory :
       {static_cast<void*>(codes), static_cast<void*>(wide), static_cast<void*>(counts)}) {
    FreeOnDevice(memory);
  }
}

}  // namespace
}  // namespace mantissa::kernels
