// Every float32 there is, packed to the two low formats in every mode that rounds to the nearest:
// code, value and counts against an oracle that works in double precision, knows formats as the
// paper writes them, and shares no code with the kernels.
//
//   bazel test //tests/exhaustive:low_formats_test --test_output=all
//
// A line for each format, mode and overflow rule says how many inputs were compared.
#include <algorithm>
#include <atomic>
#include <bit>
#include <cinttypes>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <string>
#include <thread>
#include <tuple>
#include <vector>

#include "absl/status/status.h"
#include "gtest/gtest.h"
#include "kernels/formats/format.h"
#include "kernels/packed/pack.h"
#include "kernels/packed/round.h"

namespace mantissa::kernels {
namespace {

constexpr uint64_t kInputs = uint64_t{1} << 32;
constexpr uint32_t kSlice = 1 << 16;  // at once: a part of the cache

// fp(e, m, b) with all exponents in use.
struct Shape {
  const char* name;
  Format format;
  int e, m, b;
};

// What becomes of each input, worked out in double, which holds every product and sum below but the
// one that kReference rounds to float32 on purpose.
class Oracle {
 public:
  Oracle(const Shape& shape, Rounding rounding, Overflow overflow)
      : shape_(shape), rounding_(rounding), overflow_(overflow) {
    const int top = 1 << (shape.e - 1);
    smallest_exponent_ = 2 - top - shape.b;
    threshold_ = std::ldexp(2 - std::ldexp(1, -shape.m - 1), top - shape.b);
    normal_ = std::ldexp(1, smallest_exponent_);
    shift_ = std::ldexp(1, shape.b);
    for (int exponent = kLeast; exponent < 128; ++exponent) {
      per_unit_.push_back(std::ldexp(1, shape.m - std::max(exponent, smallest_exponent_)));
    }
  }

  struct Answer {
    uint8_t code;
    bool overflow, underflow, nonfinite;
  };

  Answer Of(float x) const {
    constexpr uint8_t kNan = 0x80;
    if (std::isnan(x)) return {kNan, false, false, true};
    const double magnitude = std::fabs(double{x});
    const bool infinite = std::isinf(x);
    if (magnitude >= threshold_) {
      if (overflow_ == Overflow::kInfinity) return {kNan, true, false, infinite};
      return {Signed(kLargest, x), true, false, infinite};
    }
    const uint8_t code = CodeOf(magnitude);
    return {Signed(code, x), false, x != 0 && code == 0, false};
  }

 private:
  // A negative zero has no code.
  static uint8_t Signed(uint8_t code, float x) {
    return static_cast<uint8_t>(code != 0 && x < 0 ? code | 0x80 : code);
  }

  static int ExponentOf(double x) {
    return std::max(static_cast<int>(std::bit_cast<uint64_t>(x) >> 52) - 1023, kLeast);
  }

  // Units of x's binade, a whole number of them.
  int64_t Rounded(double x, double per_unit) const {
    double units = x * per_unit;
    if (rounding_ == Rounding::kReference && x < normal_) {
      // The authors' way: in a world without shift, the smallest normal value is added in float32.
      const auto sum = static_cast<float>(shift_ * normal_ + shift_ * x);
      units = (sum / shift_ - normal_) * per_unit;
    }
    const auto whole = static_cast<int64_t>(units);
    const double rest = units - static_cast<double>(whole);
    if (rounding_ == Rounding::kNearestEven && rest == 0.5) return whole + whole % 2;
    return whole + (rest >= 0.5);
  }

  // The place of x's rounded value among all.
  uint8_t CodeOf(double x) const {
    const int exponent = ExponentOf(x);
    const int64_t units = Rounded(x, per_unit_[static_cast<size_t>(exponent - kLeast)]);
    // The first binade has the subnormals below it; each binade has 2^m values.
    const int binade = std::max(exponent, smallest_exponent_) - smallest_exponent_;
    const int64_t code = units + (int64_t{binade} << shape_.m);
    return static_cast<uint8_t>(std::min<int64_t>(code, kLargest));
  }

  static constexpr int kLeast = -150;
  static constexpr int64_t kLargest = 0x7F;

  Shape shape_;
  Rounding rounding_;
  Overflow overflow_;
  int smallest_exponent_;
  double threshold_, normal_, shift_;
  std::vector<double> per_unit_;
};

struct Work {
  std::vector<float> in = std::vector<float>(kSlice);
  std::vector<uint8_t> codes = std::vector<uint8_t>(kSlice);
};

// Compares inputs `first` to first + kSlice - 1. Returns how many differ, counts included.
uint64_t Compare(const Shape& shape, const RoundSpec& spec, const Oracle& oracle, uint32_t first,
                 Work& work) {
  for (uint32_t i = 0; i < kSlice; ++i) work.in[i] = std::bit_cast<float>(first + i);
  RoundCounts counts, want;
  if (!Pack(Device::Cpu(), spec, Piece::Whole(kSlice), Element::kFloat32, work.in.data(),
            work.codes.data(), &counts)
           .ok()) {
    return kSlice;
  }
  uint64_t wrong = 0;
  for (uint32_t i = 0; i < kSlice; ++i) {
    const Oracle::Answer answer = oracle.Of(work.in[i]);
    want.overflow += answer.overflow;
    want.underflow += answer.underflow;
    want.nonfinite += answer.nonfinite;
    if (work.codes[i] == answer.code) continue;
    if (++wrong == 1) {
      std::printf("%s: %a became %02x, not %02x\n", shape.name, work.in[i], work.codes[i],
                  answer.code);
    }
  }
  return wrong + (counts.overflow != want.overflow) + (counts.underflow != want.underflow) +
         (counts.nonfinite != want.nonfinite);
}

using Parameters = std::tuple<Shape, Rounding, Overflow>;

class LowFormatsTest : public testing::TestWithParam<Parameters> {};

TEST_P(LowFormatsTest, EveryFloat32HasTheOraclesCodeAndCounts) {
  const auto& [shape, rounding, overflow] = GetParam();
  const RoundSpec spec = {.format = shape.format, .rounding = rounding, .overflow = overflow};
  const Oracle oracle(shape, rounding, overflow);
  std::atomic<uint64_t> next = 0, compared = 0, wrong = 0;
  std::vector<std::thread> threads;
  for (unsigned t = 0; t < std::max(1u, std::thread::hardware_concurrency()); ++t) {
    threads.emplace_back([&, &shape = shape] {
      Work work;
      for (uint64_t first; (first = next.fetch_add(kSlice)) < kInputs;) {
        wrong += Compare(shape, spec, oracle, static_cast<uint32_t>(first), work);
        compared += kSlice;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(compared, kInputs);
  EXPECT_EQ(wrong, 0u);
  std::printf("%s: %" PRIu64 " inputs compared, %" PRIu64 " wrong\n",
              testing::UnitTest::GetInstance()->current_test_info()->name(), compared.load(),
              wrong.load());
}

const char* NameOf(Rounding rounding) {
  return rounding == Rounding::kNearestEven   ? "NearestEven"
         : rounding == Rounding::kNearestAway ? "NearestAway"
                                              : "Reference";
}

INSTANTIATE_TEST_SUITE_P(
    All, LowFormatsTest,
    testing::Combine(testing::Values(Shape{"fp434", kLowForward, 4, 3, 4},
                                     Shape{"fp520", kLowBackward, 5, 2, 0}),
                     testing::Values(Rounding::kNearestEven, Rounding::kNearestAway,
                                     Rounding::kReference),
                     testing::Values(Overflow::kSaturate, Overflow::kInfinity)),
    [](const auto& info) {
      return std::string(std::get<0>(info.param).name) + NameOf(std::get<1>(info.param)) +
             (std::get<2>(info.param) == Overflow::kSaturate ? "Saturate" : "Infinity");
    });

}  // namespace
}  // namespace mantissa::kernels
