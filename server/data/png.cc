#include "server/data/png.h"

#include <png.h>

#include <csetjmp>
#include <cstring>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "server/data/bytes.h"

namespace mantissa::data {
namespace {

constexpr absl::string_view kSignature("\x89PNG\r\n\x1a\n", 8);
// Signature, length and type of the first chunk, then IHDR: width, height, depth, colour type.
constexpr size_t kHeaderBytes = 8 + 8 + 13;
// Text and profiles beside the pixels: never looked at.
constexpr png_alloc_size_t kMaxChunkBytes = png_alloc_size_t{1} << 20;
constexpr png_uint_32 kMaxExtraChunks = 64;

// What libpng calls back with. Its errors jump, so nothing here may need a destructor to run
// between png_read_* and the jump.
struct Session {
  absl::string_view bytes;
  size_t offset = 0;
  char error[128] = "unknown";
};

void ReadBytes(png_structp png, png_bytep out, size_t count) {
  Session& session = *static_cast<Session*>(png_get_io_ptr(png));
  if (count > session.bytes.size() - session.offset) png_error(png, "it ends too early");
  std::memcpy(out, session.bytes.data() + session.offset, count);
  session.offset += count;
}

void OnError(png_structp png, png_const_charp message) {
  Session& session = *static_cast<Session*>(png_get_error_ptr(png));
  std::strncpy(session.error, message, sizeof(session.error) - 1);
  png_longjmp(png, 1);
}

void OnWarning(png_structp, png_const_charp) {}

absl::Status Damaged(absl::string_view what) {
  return absl::InvalidArgumentError(
      absl::StrCat("damaged PNG (", what, "). Convert it anew, or leave it out"));
}

void Configure(png_structp png, Session& session, int64_t channels) {
  png_set_read_fn(png, &session, ReadBytes);
  png_set_user_limits(png, kMaxImageSide, kMaxImageSide);
  png_set_chunk_malloc_max(png, kMaxChunkBytes);
  png_set_chunk_cache_max(png, kMaxExtraChunks);
  png_set_keep_unknown_chunks(png, PNG_HANDLE_CHUNK_NEVER, nullptr, 0);
  png_set_expand(png);
  png_set_strip_16(png);
  png_set_strip_alpha(png);
  if (channels == 3) png_set_gray_to_rgb(png);
}

// Jumps out of the middle where the file is damaged: no C++ object lives in it.
bool Decode(png_structp png, png_infop info, Session& session, const ImageInfo& wanted,
            png_bytepp row_pointers) {
  if (setjmp(png_jmpbuf(png)) != 0) return false;
  Configure(png, session, wanted.channels);
  png_read_info(png, info);
  png_set_interlace_handling(png);
  png_read_update_info(png, info);
  if (png_get_image_width(png, info) != static_cast<png_uint_32>(wanted.width) ||
      png_get_image_height(png, info) != static_cast<png_uint_32>(wanted.height) ||
      png_get_rowbytes(png, info) != static_cast<size_t>(wanted.width * wanted.channels)) {
    png_error(png, "its header changes");
  }
  png_read_image(png, row_pointers);
  png_read_end(png, nullptr);
  return true;
}

}  // namespace

bool IsPng(absl::string_view bytes) { return absl::StartsWith(bytes, kSignature); }

absl::StatusOr<ImageInfo> ReadPngInfo(absl::string_view bytes) {
  ByteReader reader(bytes);
  uint32_t length = 0, width = 0, height = 0;
  absl::string_view type;
  uint8_t depth = 0, color = 0;
  bool whole = bytes.size() >= kHeaderBytes && reader.Skip(kSignature.size()) &&
               reader.ReadBe(&length) && reader.ReadBytes(4, &type) && reader.ReadBe(&width) &&
               reader.ReadBe(&height) && reader.ReadBe(&depth) && reader.ReadBe(&color);
  if (!whole || length != 13 || type != "IHDR") return Damaged("no header");
  const bool has_color = (color & PNG_COLOR_MASK_COLOR) != 0;
  return ImageInfo{
      .format = ImageFormat::kPng, .width = width, .height = height, .channels = has_color ? 3 : 1};
}

absl::Status DecodePng(absl::string_view bytes, const ImageInfo& info, absl::Span<uint8_t> rows) {
  Session session{.bytes = bytes};
  png_structp png = png_create_read_struct(PNG_LIBPNG_VER_STRING, &session, OnError, OnWarning);
  png_infop png_info = png != nullptr ? png_create_info_struct(png) : nullptr;
  if (png_info == nullptr) {
    png_destroy_read_struct(&png, nullptr, nullptr);
    return absl::ResourceExhaustedError("no memory to decode it");
  }
  std::vector<png_bytep> row_pointers(info.height);
  for (int64_t y = 0; y < info.height; ++y) {
    row_pointers[y] = rows.data() + y * info.width * info.channels;
  }
  const bool decoded = Decode(png, png_info, session, info, row_pointers.data());
  png_destroy_read_struct(&png, &png_info, nullptr);
  return decoded ? absl::OkStatus() : Damaged(session.error);
}

}  // namespace mantissa::data
