#include "server/data/jpeg.h"

#include <turbojpeg.h>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

namespace mantissa::data {
namespace {

const unsigned char* Bytes(absl::string_view bytes) {
  return reinterpret_cast<const unsigned char*>(bytes.data());
}

absl::Status Damaged(tjhandle handle) {
  return absl::InvalidArgumentError(absl::StrCat("damaged JPEG (", tjGetErrorStr2(handle),
                                                 "). Convert it anew, or leave it out"));
}

}  // namespace

bool IsJpeg(absl::string_view bytes) { return absl::StartsWith(bytes, "\xff\xd8\xff"); }

absl::StatusOr<ImageInfo> ReadJpegInfo(absl::string_view bytes) {
  tjhandle handle = tjInitDecompress();
  if (handle == nullptr) return absl::ResourceExhaustedError("no memory to decode it");
  absl::Cleanup destroy = [handle] { tjDestroy(handle); };
  int width = 0, height = 0, subsampling = 0, colorspace = 0;
  if (tjDecompressHeader3(handle, Bytes(bytes), bytes.size(), &width, &height, &subsampling,
                          &colorspace) != 0) {
    return Damaged(handle);
  }
  if (colorspace == TJCS_CMYK || colorspace == TJCS_YCCK) {
    return absl::InvalidArgumentError("a CMYK image; allowed are gray and RGB. Convert it");
  }
  return ImageInfo{.format = ImageFormat::kJpeg,
                   .width = width,
                   .height = height,
                   .channels = colorspace == TJCS_GRAY ? 1 : 3};
}

void ShrinkJpeg(int64_t height, int64_t width, ImageInfo& info) {
  for (int64_t divisor : {8, 4, 2}) {
    // As libjpeg rounds.
    const int64_t small_height = (info.height + divisor - 1) / divisor;
    const int64_t small_width = (info.width + divisor - 1) / divisor;
    if (small_height < height || small_width < width) continue;
    info.height = small_height;
    info.width = small_width;
    return;
  }
}

absl::Status DecodeJpeg(absl::string_view bytes, const ImageInfo& info, absl::Span<uint8_t> rows) {
  tjhandle handle = tjInitDecompress();
  if (handle == nullptr) return absl::ResourceExhaustedError("no memory to decode it");
  absl::Cleanup destroy = [handle] { tjDestroy(handle); };
  // The accurate transform gives the same pixels on every machine; the limit on scans keeps a small
  // progressive file from taking minutes.
  constexpr int kFlags = TJFLAG_ACCURATEDCT | TJFLAG_STOPONWARNING | TJFLAG_LIMITSCANS;
  const int result =
      tjDecompress2(handle, Bytes(bytes), bytes.size(), rows.data(), static_cast<int>(info.width),
                    static_cast<int>(info.width * info.channels), static_cast<int>(info.height),
                    info.channels == 1 ? TJPF_GRAY : TJPF_RGB, kFlags);
  return result == 0 ? absl::OkStatus() : Damaged(handle);
}

}  // namespace mantissa::data
