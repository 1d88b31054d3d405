#include "base/token.h"

#include <cctype>
#include <set>
#include <string>

#include "gtest/gtest.h"

namespace mantissa {
namespace {

TEST(Token, IsHexOfTheGivenLengthAndNeverTheSame) {
  std::set<std::string> seen;
  for (int i = 0; i < 100; ++i) {
    const std::string token = RandomToken(16);
    ASSERT_EQ(token.size(), 32u);
    for (char c : token) EXPECT_TRUE(std::isxdigit(static_cast<unsigned char>(c)));
    seen.insert(token);
  }
  EXPECT_EQ(seen.size(), 100u);
}

TEST(Token, EqualsOnlyTheSameText) {
  EXPECT_TRUE(TokensEqual("abc", "abc"));
  EXPECT_TRUE(TokensEqual("", ""));
  EXPECT_FALSE(TokensEqual("abc", "abd"));
  EXPECT_FALSE(TokensEqual("abc", "ab"));
}

}  // namespace
}  // namespace mantissa
