#include "base/philox.h"

#include <cstdint>

#include "gtest/gtest.h"

namespace mantissa {
namespace {

void ExpectBlock(PhiloxBlock counter, PhiloxKey key, PhiloxBlock expected) {
  const PhiloxBlock actual = Philox(counter, key);
  for (int i = 0; i < 4; ++i) EXPECT_EQ(actual.word[i], expected.word[i]) << i;
}

// Random123, tests/kat_vectors, "philox4x32 10".
TEST(Philox, EqualsTheKnownAnswersOfRandom123) {
  ExpectBlock({{0, 0, 0, 0}}, {{0, 0}}, {{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}});
  ExpectBlock({{~0u, ~0u, ~0u, ~0u}}, {{~0u, ~0u}},
              {{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}});
  ExpectBlock({{0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}}, {{0xa4093822, 0x299f31d0}},
              {{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}});
}

TEST(Philox, IsAConstantExpression) {
  static_assert(Philox({{0, 0, 0, 0}}, {{0, 0}}).word[0] == 0x6627e8d5);
}

}  // namespace
}  // namespace mantissa
