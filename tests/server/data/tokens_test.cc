#include "server/data/tokens.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <string>
#include <vector>

#include "server/data/source.h"
#include "tests/server/data/read_samples.h"

namespace mantissa::data {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

template <typename T>
std::string Bytes(const std::vector<T>& tokens) {
  return std::string(reinterpret_cast<const char*>(tokens.data()), tokens.size() * sizeof(T));
}

absl::StatusOr<LoadedDataset> Read(const std::vector<NamedBytes>& files,
                                   const LoadOptions& options) {
  ReadContext context{options};
  return ReadTokenDataset(files, context);
}

TEST(Tokens, TargetIsTheSampleMovedOnByOneToken) {
  const std::string bytes = Bytes<uint16_t>({5, 6, 7, 8, 9, 1, 2, 3});
  auto text = Read({{"train.bin", bytes}}, {.sequence_length = 3});
  ASSERT_TRUE(text.ok()) << text.status();
  EXPECT_EQ(text->format, "tokens");
  EXPECT_THAT(text->inputs[0].shape, ElementsAre(3));
  EXPECT_EQ(text->inputs[0].classes, 10);
  EXPECT_EQ(text->target.classes, 10);
  // The rest, {2, 3}, is shorter than a sample.
  EXPECT_THAT(ValuesOf<int64_t>(*text, *text->train), ElementsAre(5, 6, 7, 8, 9, 1));
  EXPECT_THAT(LabelsOf(*text, *text->train), ElementsAre(6, 7, 8, 9, 1, 2));
}

TEST(Tokens, SamplesOverlapAsTheStrideSays) {
  const std::string bytes = Bytes<uint8_t>({1, 2, 3, 4, 5});
  auto text =
      Read({{"a.bin", bytes}}, {.sequence_length = 2, .sequence_stride = 1, .token_bytes = 1});
  ASSERT_TRUE(text.ok()) << text.status();
  EXPECT_THAT(ValuesOf<int64_t>(*text, *text->train), ElementsAre(1, 2, 2, 3, 3, 4));
}

TEST(Tokens, FilesAreSplitByNameAndDoNotRunIntoEachOther) {
  const std::string first = Bytes<uint32_t>({1, 2, 3}), second = Bytes<uint32_t>({4, 5, 6});
  auto text = Read({{"a/train_0.bin", first}, {"a/train_1.bin", second}, {"a/val.bin", second}},
                   {.sequence_length = 2, .token_bytes = 4});
  ASSERT_TRUE(text.ok()) << text.status();
  EXPECT_THAT(ValuesOf<int64_t>(*text, *text->train), ElementsAre(1, 2, 4, 5));
  EXPECT_THAT(ValuesOf<int64_t>(*text, *text->test), ElementsAre(4, 5));
}

TEST(Tokens, TokenAtTheVocabularysEndIsTakenAndOneBeyondIsNamed) {
  const std::string bytes = Bytes<uint16_t>({0, 1, 2, 49});
  auto text = Read({{"t.bin", bytes}}, {.sequence_length = 2, .vocabulary = 50});
  ASSERT_TRUE(text.ok()) << text.status();
  EXPECT_EQ(text->target.classes, 50);
  text = Read({{"t.bin", bytes}}, {.sequence_length = 2, .vocabulary = 49});
  EXPECT_THAT(text.status().message(),
              HasSubstr("t.bin: token 3 (from 0) is 49; allowed 0 to 48."));
}

// A .npy file of version 1.0.
std::string Npy(const std::string& descr, const std::string& shape, const std::string& data) {
  std::string header =
      "{'descr': '" + descr + "', 'fortran_order': False, 'shape': " + shape + ", }";
  header.resize(117, ' ');
  header += '\n';
  return std::string("\x93NUMPY\x01\x00\x76\x00", 10) + header + data;
}

TEST(Tokens, ArraysSayTheirBytesThemselves) {
  const std::string bytes = Npy("<i4", "(4,)", Bytes<int32_t>({7, 70000, 2, 1}));
  auto text = Read({{"ids.npy", bytes}}, {.sequence_length = 3});
  ASSERT_TRUE(text.ok()) << text.status();
  EXPECT_THAT(LabelsOf(*text, *text->train), ElementsAre(70000, 2, 1));
  const std::string negative = Npy("<i4", "(4,)", Bytes<int32_t>({7, -100, 2, 1}));
  EXPECT_THAT(Read({{"ids.npy", negative}}, {.sequence_length = 3}).status().message(),
              HasSubstr("ids.npy: token 1 (from 0) is -100; allowed 0 to 16777215"));
  const std::string square = Npy("<i4", "(2, 2)", Bytes<int32_t>({7, 1, 2, 1}));
  EXPECT_THAT(Read({{"ids.npy", square}}, {.sequence_length = 3}).status().message(),
              HasSubstr("an array of int32 and shape [2, 2]; tokens are whole numbers of one"));
}

TEST(Tokens, FilesAndOptionsThatDoNotFitAreRefusedWithTheRemedy) {
  const std::string bytes = Bytes<uint16_t>({1, 2, 3, 4});
  const auto error = [](absl::string_view content, const LoadOptions& options) {
    return std::string(Read({{"t.bin", content}}, options).status().message());
  };
  EXPECT_THAT(error(bytes, {}), HasSubstr("read.sequence_length is 0; allowed 1 to 1048576"));
  EXPECT_THAT(error(bytes, {.sequence_length = 4}),
              HasSubstr("t.bin: 4 tokens; a sample needs 4 and the one after"));
  EXPECT_THAT(error(absl::string_view(bytes).substr(1), {.sequence_length = 2}),
              HasSubstr("t.bin: 7 bytes are no multiple of 2"));
  EXPECT_THAT(error("", {.sequence_length = 2}), HasSubstr("t.bin: 0 tokens"));
  EXPECT_THAT(error(bytes, {.sequence_length = 2, .token_bytes = 3}),
              HasSubstr("read.token_bytes is 3; allowed 1, 2, 4"));
  EXPECT_THAT(error(bytes, {.sequence_length = 2, .vocabulary = 1}),
              HasSubstr("read.vocabulary is 1; allowed 2 to"));
  EXPECT_THAT(error(bytes, {.sequence_length = 2, .sequence_stride = -1}),
              HasSubstr("read.sequence_stride is -1"));
}

}  // namespace
}  // namespace mantissa::data
