// Pack() and Unpack() on the device under test, from vectors to vectors, and what the tests of them
// compare.
#ifndef MANTISSA_TESTS_KERNELS_PACKED_PACKING_H_
#define MANTISSA_TESTS_KERNELS_PACKED_PACKING_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "kernels/formats/format.h"
#include "kernels/packed/pack.h"
#include "kernels/packed/round.h"
#include "tests/kernels/packed/oracle.h"

namespace mantissa::kernels {

// Elements after a 64-byte boundary.
struct Offsets {
  size_t wide = 0, codes = 0;
};

struct Packed {
  std::vector<uint32_t> codes;
  RoundCounts counts;
};

// An element type's values.
Format FormatOf(Element element);
// The bits of float32 values as elements that hold them.
std::vector<uint32_t> ElementsOf(const std::vector<float>& values, Element element);

// Packs `wide`, bits of elements, into a tensor that holds `codes`. Fails the test on an error.
Packed PackOnDevice(const RoundSpec& spec, const Piece& piece, Element element,
                    const std::vector<uint32_t>& wide, const std::vector<uint32_t>& codes,
                    const Offsets& offsets = {});
// Packs float32 values into a tensor of their own.
Packed PackOnDevice(const RoundSpec& spec, const std::vector<float>& wide);

// Unpacks into `wide`, bits of elements that are there before.
std::vector<uint32_t> UnpackOnDevice(const Format& format, const Piece& piece, Element element,
                                     const std::vector<uint32_t>& codes,
                                     const std::vector<uint32_t>& wide, Write write,
                                     const Offsets& offsets = {});
// Unpacks a whole tensor to float32 values.
std::vector<float> UnpackOnDevice(const Format& format, const std::vector<uint32_t>& codes);

struct Rounded {
  std::vector<float> values;
  RoundCounts counts;
};
// What Round() must give. REQUIRES: not kStochastic.
Rounded OracleRound(const Oracle& oracle, const RoundSpec& spec, const std::vector<float>& in);

// What a code must be, by the oracle's table of values: `rounded` is a value of the format.
uint32_t OracleCode(const Oracle& oracle, const Format& format, float rounded);
// The value of a code.
float OracleValue(const Oracle& oracle, const Format& format, uint32_t code);

void ExpectSameCounts(const RoundCounts& got, const RoundCounts& want);
// Shows the first few differences; `in` is what they came of.
void ExpectSameCodes(const std::vector<float>& in, const std::vector<uint32_t>& got,
                     const std::vector<uint32_t>& want);
void ExpectSameFloats(const std::vector<float>& in, const std::vector<float>& got,
                      const std::vector<float>& want);
// Bits, but for a NaN's payload; its sign counts.
bool SameFloat(float a, float b);

// For the names of tests.
std::string NameOf(Rounding rounding);
std::string NameOf(const Format& format);

}  // namespace mantissa::kernels

#endif  // MANTISSA_TESTS_KERNELS_PACKED_PACKING_H_
