#include "server/data/image.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <cstdint>
#include <cstdlib>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "server/data/npz.h"
#include "server/data/resize.h"
#include "tests/server/data/testdata.h"

namespace mantissa::data {
namespace {

using ::testing::HasSubstr;

// [H, W, C] or [H, W] to [C, H, W].
std::vector<uint8_t> ChannelsFirst(const NpyArray& array) {
  const int64_t channels = array.shape.size() == 3 ? array.shape[2] : 1;
  const int64_t plane = array.shape[0] * array.shape[1];
  std::vector<uint8_t> out(channels * plane);
  for (int64_t i = 0; i < channels * plane; ++i) {
    out[(i % channels) * plane + i / channels] = static_cast<uint8_t>(array.bytes[i]);
  }
  return out;
}

ImageShape SameShape(const ImageInfo& info) { return {info.channels, info.height, info.width}; }

TEST(Image, EveryKindOfFileDecodesAsPillowDecodesIt) {
  auto expected = ReadNpz(TestdataPath("testdata/images/expected.npz"), {});
  ASSERT_TRUE(expected.ok()) << expected.status();
  ASSERT_EQ(expected->size(), 12u);
  for (const auto& [name, array] : *expected) {
    std::string bytes = Testdata(absl::StrCat("testdata/images/", name));
    NamedBytes file{name, bytes};
    auto info = ReadImageInfo(file);
    ASSERT_TRUE(info.ok()) << info.status();
    ASSERT_EQ(info->height, array.shape[0]) << name;
    ASSERT_EQ(info->width, array.shape[1]) << name;
    ASSERT_EQ(info->channels, array.shape.size() == 3 ? 3 : 1) << name;
    std::vector<uint8_t> pixels(info->channels * info->height * info->width);
    absl::Status decoded = DecodeImage(file, *info, SameShape(*info), absl::MakeSpan(pixels));
    ASSERT_TRUE(decoded.ok()) << decoded;
    EXPECT_EQ(pixels, ChannelsFirst(array)) << name;
  }
}

TEST(Image, GrayAmongColouredOnesFillsThreeChannels) {
  std::string bytes = Testdata("testdata/images/gray.png");
  NamedBytes file{"gray.png", bytes};
  auto info = ReadImageInfo(file);
  ASSERT_TRUE(info.ok()) << info.status();
  const int64_t plane = info->height * info->width;
  std::vector<uint8_t> one(plane), three(3 * plane);
  ASSERT_TRUE(DecodeImage(file, *info, SameShape(*info), absl::MakeSpan(one)).ok());
  ImageShape coloured = SameShape(*info);
  coloured.channels = 3;
  ASSERT_TRUE(DecodeImage(file, *info, coloured, absl::MakeSpan(three)).ok());
  for (int64_t i = 0; i < 3 * plane; ++i) EXPECT_EQ(three[i], one[i % plane]);
}

TEST(Image, HostileFilesAreRefusedWithTheirReason) {
  constexpr HostileFile kFiles[] = {
      {"truncated.png", "damaged PNG"},
      {"truncated.jpg", "damaged JPEG"},
      {"header_only.png", "damaged PNG"},
      {"huge.png", "60000x60000 pixels; allowed are sides of 1 to 16384"},
      {"wide_side.png", "2147483647x1 pixels; allowed are sides of 1 to 16384"},
      {"claims_more.png", "claims 9000x9000 pixels, more than"},
      {"huge.jpg", "32767x32767 pixels; allowed are sides of 1 to 16384"},
      {"claims_more.jpg", "claims 16383x16383 pixels, more than"},
      {"no_pixels.png", "0x8 pixels"},
      {"bad_depth.png", "damaged PNG"},
      {"palette_missing.png", "damaged PNG"},
      {"short_data.png", "damaged PNG"},
      {"bad_crc.png", "damaged PNG"},
      {"cmyk.jpg", "a CMYK image; allowed are gray and RGB"},
  };
  for (const HostileFile& hostile : kFiles) {
    std::string bytes = Testdata(absl::StrCat("corpus/image/", hostile.file));
    NamedBytes file{hostile.file, bytes};
    auto info = ReadImageInfo(file);
    absl::Status status = info.status();
    if (info.ok()) {
      std::vector<uint8_t> pixels(info->channels * info->height * info->width);
      status = DecodeImage(file, *info, SameShape(*info), absl::MakeSpan(pixels));
    }
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << hostile.file;
    EXPECT_THAT(status.message(), HasSubstr(hostile.error));
    EXPECT_THAT(status.message(), HasSubstr(hostile.file));
  }
}

// Text and profiles that unpack to 64 MiB, or come by the thousand: passed over or refused, but
// never unpacked.
TEST(Image, BombsBesideThePixelsOfAPngCostNothing) {
  for (const char* name : {"text_bomb.png", "profile_bomb.png", "international_bomb.png",
                           "many_texts.png", "control_text.png"}) {
    const std::string bytes = Testdata(absl::StrCat("corpus/image/", name));
    const NamedBytes file{name, bytes};
    const auto info = ReadImageInfo(file);
    ASSERT_TRUE(info.ok()) << info.status();
    std::vector<uint8_t> pixels(SameShape(*info).elements());
    rusage start, end;
    getrusage(RUSAGE_SELF, &start);
    const absl::Status status = DecodeImage(file, *info, SameShape(*info), absl::MakeSpan(pixels));
    getrusage(RUSAGE_SELF, &end);
    EXPECT_TRUE(status.ok() || absl::IsInvalidArgument(status)) << status;
    EXPECT_LT(end.ru_maxrss - start.ru_maxrss, 16 << 10) << name;  // KiB
  }
}

TEST(Image, OtherSizeIsTheMiddleResized) {
  const std::string bytes = Testdata("testdata/smooth.jpg");  // 160 x 240
  const NamedBytes file{"smooth.jpg", bytes};
  const auto info = ReadImageInfo(file);
  ASSERT_TRUE(info.ok()) << info.status();
  std::vector<uint8_t> whole(160 * 240), wanted(16 * 16), small(16 * 16);
  ASSERT_TRUE(DecodeImage(file, *info, SameShape(*info), absl::MakeSpan(whole)).ok());
  ResizeBox(whole.data(), 1, 160, 240, {.left = 40, .height = 160, .width = 160}, 16, 16,
            wanted.data());
  // Decoded at an eighth, then resized.
  ASSERT_TRUE(DecodeImage(file, *info, {1, 16, 16}, absl::MakeSpan(small)).ok());
  for (int i = 0; i < 16 * 16; ++i) EXPECT_LE(std::abs(wanted[i] - small[i]), 6) << i;
}

}  // namespace
}  // namespace mantissa::data
