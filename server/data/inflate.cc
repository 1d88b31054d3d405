#include "server/data/inflate.h"

#include <zlib.h>

#include <algorithm>
#include <limits>

#include "absl/cleanup/cleanup.h"
#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

namespace mantissa::data {
namespace {

// Deflate spends at least 2 bits on 258 bytes.
constexpr int64_t kMaxDeflateRatio = 1032;
constexpr int64_t kStepBytes = int64_t{1} << 20;

absl::Status Damaged(absl::string_view name, absl::string_view what) {
  return absl::InvalidArgumentError(absl::StrCat(name, ": the compressed data is damaged (", what,
                                                 "). Write the file again and push it anew."));
}

// zlib counts in unsigned int.
unsigned int Window(size_t bytes) {
  return static_cast<unsigned int>(
      std::min<size_t>(bytes, std::numeric_limits<unsigned int>::max()));
}

Bytef* Input(absl::string_view bytes) {
  return reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
}

}  // namespace

bool IsGzip(absl::string_view bytes) {
  return bytes.size() >= 3 && bytes[0] == '\x1f' && bytes[1] == '\x8b' && bytes[2] == '\x08';
}

absl::StatusOr<std::string> Gunzip(absl::string_view name, absl::string_view bytes, int64_t limit) {
  z_stream stream = {};
  // 16: a gzip header and trailer, whose checksum zlib checks.
  if (inflateInit2(&stream, 16 + MAX_WBITS) != Z_OK) {
    return absl::ResourceExhaustedError(absl::StrCat(name, ": no memory to decompress it."));
  }
  absl::Cleanup end = [&stream] { inflateEnd(&stream); };
  std::string out;
  size_t used = 0;
  while (used < bytes.size()) {
    size_t filled = out.size();
    out.resize(filled + kStepBytes);
    stream.next_in = Input(bytes.substr(used));
    stream.avail_in = Window(bytes.size() - used);
    stream.next_out = reinterpret_cast<Bytef*>(out.data() + filled);
    stream.avail_out = static_cast<unsigned int>(kStepBytes);
    unsigned int offered = stream.avail_in;
    int result = inflate(&stream, Z_NO_FLUSH);
    used += offered - stream.avail_in;
    out.resize(out.size() - stream.avail_out);
    if (static_cast<int64_t>(out.size()) > limit) {
      return absl::ResourceExhaustedError(
          absl::StrCat(name, ": decompresses to more than ", limit,
                       " bytes, the limit. Push the data in smaller pieces."));
    }
    if (result == Z_STREAM_END) {
      if (used == bytes.size()) return out;
      if (inflateReset(&stream) != Z_OK) return Damaged(name, "members");
      continue;
    }
    if (result != Z_OK && result != Z_BUF_ERROR) {
      return Damaged(name, stream.msg != nullptr ? stream.msg : "no deflate stream");
    }
    if (result == Z_BUF_ERROR && offered == stream.avail_in && stream.avail_out != 0) break;
  }
  return Damaged(name, "it ends too early");
}

absl::StatusOr<std::string> InflateExactly(absl::string_view name, absl::string_view bytes,
                                           int64_t size) {
  if (size < 0 || size / kMaxDeflateRatio > static_cast<int64_t>(bytes.size())) {
    return Damaged(name, absl::StrCat("it claims ", size, " bytes, more than ", bytes.size(),
                                      " compressed bytes can hold"));
  }
  z_stream stream = {};
  if (inflateInit2(&stream, -MAX_WBITS) != Z_OK) {
    return absl::ResourceExhaustedError(absl::StrCat(name, ": no memory to decompress it."));
  }
  absl::Cleanup end = [&stream] { inflateEnd(&stream); };
  std::string out(static_cast<size_t>(size), '\0');
  size_t used = 0, filled = 0;
  while (true) {
    stream.next_in = Input(bytes.substr(used));
    stream.avail_in = Window(bytes.size() - used);
    // One byte more than wanted, so that a stream that is too long shows itself.
    char spare;
    bool full = filled == out.size();
    stream.next_out = reinterpret_cast<Bytef*>(full ? &spare : out.data() + filled);
    stream.avail_out = full ? 1 : Window(out.size() - filled);
    unsigned int offered = stream.avail_in, room = stream.avail_out;
    int result = inflate(&stream, Z_NO_FLUSH);
    used += offered - stream.avail_in;
    unsigned int made = room - stream.avail_out;
    if (full && made != 0) return Damaged(name, "it holds more than it says");
    filled += made;
    if (result == Z_STREAM_END) break;
    if (result != Z_OK && result != Z_BUF_ERROR) {
      return Damaged(name, stream.msg != nullptr ? stream.msg : "no deflate stream");
    }
    if (made == 0 && offered == stream.avail_in) return Damaged(name, "it ends too early");
  }
  if (filled != out.size()) return Damaged(name, "it holds less than it says");
  if (used != bytes.size()) return Damaged(name, "bytes follow its end");
  return out;
}

}  // namespace mantissa::data
