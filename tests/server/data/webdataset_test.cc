#include "server/data/webdataset.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "server/data/source.h"
#include "tests/server/data/read_samples.h"
#include "tests/server/data/testdata.h"

namespace mantissa::data {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class WebDatasetTest : public testing::Test {
 protected:
  absl::StatusOr<LoadedDataset> Read(const std::vector<Shard>& shards, LoadOptions options = {}) {
    if (options.image_height == 0) options.image_height = options.image_width = 4;
    ReadContext context{options};
    return ReadWebDataset(shards, context);
  }
  std::string Error(const std::vector<NamedBytes>& members) {
    return std::string(Read({{"s.tar", members}}).status().message());
  }

  const std::string rgb_ = Testdata("testdata/images/rgb.png");
  const std::string gray_ = Testdata("testdata/images/gray.png");
};

TEST_F(WebDatasetTest, ImagesAndClassesOfTheSameNameBelongTogether) {
  const std::vector<Shard> shards = {
      {"b/train-1.tar", {{"k.cls", "3"}, {"k.txt", "a cat"}, {"k.png", rgb_}}},
      {"a/val-0.tar", {{"x.png", gray_}, {"x.cls", " 1\n"}}},
      {"b/train-0.tar",
       {{"dir.v1/1.png", rgb_},
        {"dir.v1/1.json", R"({"url": {"label": 9}, "label": 2, "x": [1]})"},
        {"dir.v1/2.PNG", gray_},
        {"dir.v1/2.cls", "0"},
        {"dir.v1/2.json", R"({"label": 7})"}}}};
  EXPECT_TRUE(IsWebDataset(shards));
  auto dataset = Read(shards);
  ASSERT_TRUE(dataset.ok()) << dataset.status();
  EXPECT_EQ(dataset->format, "webdataset");
  EXPECT_THAT(dataset->inputs[0].shape, ElementsAre(3, 4, 4));
  EXPECT_THAT(LabelsOf(*dataset, *dataset->train), ElementsAre(2, 0, 3));
  EXPECT_THAT(LabelsOf(*dataset, *dataset->test), ElementsAre(1));
  EXPECT_EQ(dataset->target.classes, 4);
}

TEST_F(WebDatasetTest, DecodedWhenAskedGivesThePixelsOfDecodedAtOnce) {
  const std::vector<Shard> shards = {
      {"s.tar", {{"1.png", rgb_}, {"1.cls", "0"}, {"2.png", gray_}, {"2.cls", "1"}}}};
  auto kept = Read(shards, {.threads = 2});
  auto streamed = Read(shards, {.keep_decoded_bytes = 0});
  ASSERT_TRUE(kept.ok() && streamed.ok());
  EXPECT_FALSE(kept->train->decodes());
  EXPECT_TRUE(streamed->train->decodes());
  EXPECT_EQ(ValuesOf<uint8_t>(*kept, *kept->train), ValuesOf<uint8_t>(*streamed, *streamed->train));
  EXPECT_EQ(LabelsOf(*kept, *kept->train), LabelsOf(*streamed, *streamed->train));
}

TEST_F(WebDatasetTest, ImageThatIsDamagedInsideIsNamedWhenItIsAskedFor) {
  const std::string broken = Testdata("corpus/image/short_data.png");
  const std::vector<Shard> shards = {{"s.tar", {{"a/1.png", broken}, {"a/1.cls", "0"}}}};
  EXPECT_THAT(Read(shards).status().message(), HasSubstr("s.tar: a/1.png: damaged PNG"));
  auto streamed = Read(shards, {.keep_decoded_bytes = 0});
  ASSERT_TRUE(streamed.ok()) << streamed.status();
  std::vector<char> pixels(streamed->inputs[0].bytes());
  EXPECT_THAT(streamed->train->ReadInput(0, 0, absl::MakeSpan(pixels)).message(),
              HasSubstr("s.tar: a/1.png: damaged PNG"));
}

TEST_F(WebDatasetTest, SamplesThatAreNotWholeAreNamed) {
  EXPECT_THAT(Error({{"1.png", rgb_}, {"2.cls", "1"}}), HasSubstr("s.tar: sample 1 has no class"));
  EXPECT_THAT(Error({{"1.cls", "1"}}), HasSubstr("sample 1 has a class but no image"));
  EXPECT_THAT(Error({{"1.png", rgb_}, {"1.cls", "cat"}}), HasSubstr("no number in its .cls"));
  EXPECT_THAT(Error({{"1.png", rgb_}, {"1.cls", "-1"}}),
              HasSubstr("the class -1 in its .cls; allowed are classes from 0 to 999999"));
  EXPECT_THAT(Error({{"1.png", rgb_}, {"1.json", R"({"label": 1e3})"}}),
              HasSubstr("no number in its .json"));
  EXPECT_THAT(Error({{"1.png", rgb_}, {"1.json", R"({"label": 99999999999999999999})"}}),
              HasSubstr("no number in its .json"));
  EXPECT_THAT(Error({{"\x1b[31m.png", rgb_}}), HasSubstr("sample \\x1b[31m has no class"));
}

TEST_F(WebDatasetTest, JsonOfAnyDepthIsReadWithoutRecursion) {
  const std::string deep = std::string(100000, '[') + std::string(100000, ']');
  EXPECT_THAT(Error({{"1.png", rgb_}, {"1.json", "{\"a\": " + deep + ", \"label\": -2}"}}),
              HasSubstr("the class -2 in its .json"));
  EXPECT_THAT(Error({{"1.png", rgb_}, {"1.json", std::string(100000, '[')}}),
              HasSubstr("no number in its .json"));
}

}  // namespace
}  // namespace mantissa::data
