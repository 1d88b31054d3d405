#include "base/utf8.h"

#include <string>

#include "gtest/gtest.h"

namespace mantissa {
namespace {

TEST(Utf8, CharactersOfEachLengthAreDecoded) {
  struct Case {
    const char* text;
    int length;
    uint32_t character;
  };
  for (const Case& c : {Case{"a", 1, 0x61}, Case{"\xc2\x80", 2, 0x80}, Case{"\xdf\xbf", 2, 0x7FF},
                        Case{"\xe0\xa0\x80", 3, 0x800}, Case{"\xed\x9f\xbf", 3, 0xD7FF},
                        Case{"\xef\xbf\xbf", 3, 0xFFFF}, Case{"\xf0\x90\x80\x80", 4, 0x10000},
                        Case{"\xf4\x8f\xbf\xbf", 4, 0x10FFFF}}) {
    uint32_t character = 0;
    EXPECT_EQ(DecodeUtf8(c.text, &character), c.length) << c.text;
    EXPECT_EQ(character, c.character);
    EXPECT_TRUE(IsUtf8(c.text));
  }
}

TEST(Utf8, MalformedBytesAreNoCharacters) {
  for (const char* text :
       {"\x80", "\xbf", "\xc0\x80", "\xc1\xbf", "\xc2", "\xc2\x41", "\xe0\x9f\xbf", "\xe2\x82",
        "\xed\xa0\x80", "\xed\xbf\xbf", "\xf0\x8f\xbf\xbf", "\xf4\x90\x80\x80", "\xf5\x80\x80\x80",
        "\xf0\x9f\x92", "\xff"}) {
    uint32_t character = 0;
    EXPECT_EQ(DecodeUtf8(text, &character), 0);
    EXPECT_FALSE(IsUtf8(text));
    EXPECT_FALSE(IsUtf8(std::string("good") + text));
  }
  EXPECT_TRUE(IsUtf8(""));
}

TEST(Utf8, CuttingLeavesOutACharacterThatDoesNotFit) {
  EXPECT_EQ(CutUtf8("abc", 3), "abc");
  EXPECT_EQ(CutUtf8("abc", 2), "ab");
  EXPECT_EQ(CutUtf8("a\xe2\x82\xac!", 4), "a\xe2\x82\xac");
  EXPECT_EQ(CutUtf8("a\xe2\x82\xac!", 3), "a");
  EXPECT_EQ(CutUtf8("a\xe2\x82\xac!", 2), "a");
  EXPECT_EQ(CutUtf8("\xe2\x82\xac", 0), "");
}

}  // namespace
}  // namespace mantissa
