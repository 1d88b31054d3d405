#include "tests/kernels/packed/packing.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "gtest/gtest.h"
#include "tests/kernels/packed/buffer.h"
#include "tests/kernels/packed/device.h"

namespace mantissa::kernels {
namespace {

// The little-endian elements that hold the words.
std::vector<uint8_t> BytesOf(const std::vector<uint32_t>& words, int width) {
  std::vector<uint8_t> bytes;
  for (const uint32_t word : words) {
    for (int i = 0; i < width; ++i) bytes.push_back(static_cast<uint8_t>(word >> (8 * i)));
  }
  return bytes;
}

std::vector<uint32_t> WordsOf(const std::vector<uint8_t>& bytes, int width) {
  std::vector<uint32_t> words(bytes.size() / static_cast<size_t>(width));
  for (size_t i = 0; i < bytes.size(); ++i) {
    words[i / width] |= uint32_t{bytes[i]} << (8 * (i % width));
  }
  return words;
}

int WidthOf(Element element) { return element == Element::kFloat32 ? 4 : 2; }

}  // namespace

Format FormatOf(Element element) {
  if (element == Element::kFloat32) return kFp32;
  return element == Element::kBFloat16 ? kBf16 : kFp16;
}

std::vector<uint32_t> ElementsOf(const std::vector<float>& values, Element element) {
  std::vector<uint32_t> words;
  if (element == Element::kFloat32) {
    for (const float x : values) words.push_back(std::bit_cast<uint32_t>(x));
    return words;
  }
  const Format format = FormatOf(element);
  const Oracle oracle(format);
  for (const float x : values) words.push_back(OracleCode(oracle, format, x));
  return words;
}

Packed PackOnDevice(const RoundSpec& spec, const Piece& piece, Element element,
                    const std::vector<uint32_t>& wide, const std::vector<uint32_t>& codes,
                    const Offsets& offsets) {
  const int width = WidthOf(element), code = spec.format.bytes();
  Buffer in(BytesOf(wide, width), offsets.wide * width);
  Buffer out(BytesOf(codes, code), offsets.codes * code);
  Buffer counts(std::vector<RoundCounts>(1));
  const absl::Status status = Pack(DeviceUnderTest(wide.size()), spec, piece, element, in.data(),
                                   out.data(), counts.data<RoundCounts>());
  EXPECT_TRUE(status.ok()) << status;
  return {.codes = WordsOf(out.Read<uint8_t>(), code), .counts = counts.Read<RoundCounts>()[0]};
}

Packed PackOnDevice(const RoundSpec& spec, const std::vector<float>& wide) {
  return PackOnDevice(spec, Piece::Whole(static_cast<int64_t>(wide.size())), Element::kFloat32,
                      ElementsOf(wide, Element::kFloat32), std::vector<uint32_t>(wide.size()));
}

std::vector<uint32_t> UnpackOnDevice(const Format& format, const Piece& piece, Element element,
                                     const std::vector<uint32_t>& codes,
                                     const std::vector<uint32_t>& wide, Write write,
                                     const Offsets& offsets) {
  const int width = WidthOf(element), code = format.bytes();
  Buffer in(BytesOf(codes, code), offsets.codes * code);
  Buffer out(BytesOf(wide, width), offsets.wide * width);
  const absl::Status status =
      Unpack(DeviceUnderTest(codes.size()), format, piece, element, in.data(), out.data(), write);
  EXPECT_TRUE(status.ok()) << status;
  return WordsOf(out.Read<uint8_t>(), width);
}

std::vector<float> UnpackOnDevice(const Format& format, const std::vector<uint32_t>& codes) {
  std::vector<float> values;
  for (const uint32_t word :
       UnpackOnDevice(format, Piece::Whole(static_cast<int64_t>(codes.size())), Element::kFloat32,
                      codes, std::vector<uint32_t>(codes.size()), Write::kReplace)) {
    values.push_back(std::bit_cast<float>(word));
  }
  return values;
}

Rounded OracleRound(const Oracle& oracle, const RoundSpec& spec, const std::vector<float>& in) {
  Rounded rounded;
  for (const float x : in) {
    const float y = oracle.Round(x, spec.rounding, spec.overflow);
    const RoundCounts counts = oracle.Count(x, y);
    rounded.values.push_back(y);
    rounded.counts.overflow += counts.overflow;
    rounded.counts.underflow += counts.underflow;
    rounded.counts.nonfinite += counts.nonfinite;
  }
  return rounded;
}

uint32_t OracleCode(const Oracle& oracle, const Format& format, float rounded) {
  const uint32_t sign_bit = 1u << (format.exponent_bits + format.mantissa_bits);
  const std::vector<double>& values = oracle.values();
  const bool reserved = format.top_exponent_reserved;
  const uint32_t sign = std::signbit(rounded) ? sign_bit : 0;
  const uint32_t infinity = static_cast<uint32_t>(values.size());
  if (!reserved && !std::isfinite(rounded)) return sign_bit;
  if (!reserved && rounded == 0) return 0;
  if (std::isnan(rounded)) return sign | infinity | 1u << (format.mantissa_bits - 1);
  if (std::isinf(rounded)) return sign | infinity;
  const auto at = std::lower_bound(values.begin(), values.end(), std::fabs(double{rounded}));
  EXPECT_EQ(*at, std::fabs(rounded)) << "no value of " << format;
  return sign | static_cast<uint32_t>(at - values.begin());
}

float OracleValue(const Oracle& oracle, const Format& format, uint32_t code) {
  const uint32_t sign_bit = 1u << (format.exponent_bits + format.mantissa_bits);
  const bool negative = (code & sign_bit) != 0;
  const size_t magnitude = code & (sign_bit - 1);
  const std::vector<double>& values = oracle.values();
  constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  if (magnitude == 0 && negative && !format.top_exponent_reserved) return kNan;
  float value = kNan;
  if (magnitude < values.size()) value = static_cast<float>(values[magnitude]);
  if (magnitude == values.size()) value = kInfinity;
  return negative ? -value : value;
}

void ExpectSameCounts(const RoundCounts& got, const RoundCounts& want) {
  EXPECT_EQ(got.overflow, want.overflow);
  EXPECT_EQ(got.underflow, want.underflow);
  EXPECT_EQ(got.nonfinite, want.nonfinite);
}

void ExpectSameCodes(const std::vector<float>& in, const std::vector<uint32_t>& got,
                     const std::vector<uint32_t>& want) {
  ASSERT_EQ(got.size(), want.size());
  int shown = 0;
  for (size_t i = 0; i < want.size() && shown < 5; ++i) {
    if (got[i] == want[i]) continue;
    ++shown;
    ADD_FAILURE() << "element " << i << " of " << want.size() << ": " << std::hexfloat
                  << (i < in.size() ? in[i] : 0) << std::hex << " became code " << got[i]
                  << ", not " << want[i];
  }
}

void ExpectSameFloats(const std::vector<float>& in, const std::vector<float>& got,
                      const std::vector<float>& want) {
  ASSERT_EQ(got.size(), want.size());
  int shown = 0;
  for (size_t i = 0; i < want.size() && shown < 5; ++i) {
    if (SameFloat(got[i], want[i])) continue;
    ++shown;
    ADD_FAILURE() << "element " << i << " of " << want.size() << ": " << std::hexfloat << in[i]
                  << " became " << got[i] << ", not " << want[i];
  }
}

bool SameFloat(float a, float b) {
  if (std::isnan(a) || std::isnan(b)) {
    return std::isnan(a) && std::isnan(b) && std::signbit(a) == std::signbit(b);
  }
  return std::bit_cast<uint32_t>(a) == std::bit_cast<uint32_t>(b);
}

std::string NameOf(Rounding rounding) {
  switch (rounding) {
    case Rounding::kNearestEven:
      return "NearestEven";
    case Rounding::kNearestAway:
      return "NearestAway";
    case Rounding::kStochastic:
      return "Stochastic";
    case Rounding::kReference:
      return "Reference";
  }
  return "";
}

std::string NameOf(const Format& format) {
  return "e" + std::to_string(format.exponent_bits) + "m" + std::to_string(format.mantissa_bits) +
         (format.exponent_bits < 8 && format.top_exponent_reserved ? "ieee" : "");
}

}  // namespace mantissa::kernels
