#include "server/data/tar.h"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>

#include "absl/container/flat_hash_set.h"
#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "base/status.h"
#include "server/data/names.h"

namespace mantissa::data {
namespace {

constexpr size_t kBlock = 512;
// Fields of a header (POSIX.1-2017, pax): offset, length.
constexpr size_t kName = 0, kNameSize = 100;
constexpr size_t kSize = 124, kSizeSize = 12;
constexpr size_t kChecksum = 148, kChecksumSize = 8;
constexpr size_t kType = 156;
constexpr size_t kMagic = 257;
constexpr size_t kPrefix = 345, kPrefixSize = 155;
// Longest name or pax header that is read.
constexpr int64_t kMaxExtraBytes = 65536;

// A field up to its first NUL.
absl::string_view Text(absl::string_view block, size_t offset, size_t size) {
  absl::string_view field = block.substr(offset, size);
  return field.substr(0, field.find('\0'));
}

// Octal digits, or GNU's big-endian binary where the first bit is set.
std::optional<int64_t> Number(absl::string_view field) {
  uint64_t value = 0;
  if ((field[0] & 0x80) != 0) {
    for (size_t i = 0; i < field.size(); ++i) {
      if (value >> 55 != 0) return std::nullopt;
      value = value << 8 | (static_cast<uint8_t>(field[i]) & (i == 0 ? 0x7f : 0xff));
    }
    return static_cast<int64_t>(value);
  }
  size_t i = 0;
  while (i < field.size() && field[i] == ' ') ++i;
  for (; i < field.size() && field[i] >= '0' && field[i] <= '7'; ++i) {
    value = value * 8 + static_cast<uint64_t>(field[i] - '0');
  }
  for (; i < field.size(); ++i) {
    if (field[i] != ' ' && field[i] != '\0') return std::nullopt;
  }
  return static_cast<int64_t>(value);
}

bool ChecksumHolds(absl::string_view block) {
  std::optional<int64_t> stored = Number(block.substr(kChecksum, kChecksumSize));
  int64_t sum = 0;
  for (size_t i = 0; i < kBlock; ++i) {
    bool in_field = i >= kChecksum && i < kChecksum + kChecksumSize;
    sum += in_field ? ' ' : static_cast<uint8_t>(block[i]);
  }
  return stored && *stored == sum;
}

const char* KindOf(char type) {
  switch (type) {
    case '1':
      return "a hard link";
    case '2':
      return "a symbolic link";
    case '3':
    case '4':
      return "a device";
    case '6':
      return "a fifo";
    case 'S':
      return "a sparse file";
    default:
      return "of an unknown kind";
  }
}

// What extended headers say about the next member.
struct Overrides {
  std::optional<std::string> name;
  std::optional<int64_t> size;
};

class Reader {
 public:
  explicit Reader(const NamedBytes& file) : file_(file) {}

  absl::StatusOr<std::vector<NamedBytes>> Read() {
    while (true) {
      absl::string_view block;
      if (!Take(kBlock, &block)) return Truncated();
      if (block.find_first_not_of('\0') == absl::string_view::npos) return std::move(members_);
      if (!ChecksumHolds(block)) return Bad("a header's checksum is wrong");
      RETURN_IF_ERROR(ReadMember(block));
    }
  }

 private:
  absl::Status Bad(absl::string_view what) const {
    return absl::InvalidArgumentError(
        absl::StrCat(file_.name, ": not a usable tar archive: ", what,
                     ". Make it again, for instance with tar --create --dereference."));
  }
  absl::Status Truncated() const {
    return Bad(absl::StrCat("it is truncated: it ends after ", file_.bytes.size(),
                            " bytes without its end mark"));
  }

  bool Take(int64_t size, absl::string_view* bytes) {
    if (size < 0 || static_cast<uint64_t>(size) > file_.bytes.size() - offset_) return false;
    *bytes = file_.bytes.substr(offset_, size);
    offset_ += size;
    return true;
  }

  absl::Status ReadMember(absl::string_view block) {
    const char type = block[kType];
    std::optional<int64_t> size = Number(block.substr(kSize, kSizeSize));
    const bool extension = type == 'x' || type == 'g' || type == 'L' || type == 'K';
    if (!extension && overrides_.size) size = overrides_.size;
    absl::string_view content, padding;
    if (!size || !Take(*size, &content)) return Truncated();
    if (!Take(static_cast<int64_t>((kBlock - content.size() % kBlock) % kBlock), &padding)) {
      return Truncated();
    }
    if (extension) return ReadExtension(type, content);
    Overrides overrides = std::exchange(overrides_, {});
    std::string full = overrides.name ? *std::move(overrides.name) : HeaderName(block);
    return AddMember(type, full, content);
  }

  static std::string HeaderName(absl::string_view block) {
    absl::string_view name = Text(block, kName, kNameSize);
    absl::string_view prefix = Text(block, kPrefix, kPrefixSize);
    // GNU's own magic has other fields where ustar has the prefix.
    bool ustar = block.substr(kMagic, 6) == absl::string_view("ustar\0", 6);
    return ustar && !prefix.empty() ? absl::StrCat(prefix, "/", name) : std::string(name);
  }

  absl::Status ReadExtension(char type, absl::string_view content) {
    if (static_cast<int64_t>(content.size()) > kMaxExtraBytes) {
      return Bad(absl::StrCat("a name or header of ", content.size(), " bytes; at most ",
                              kMaxExtraBytes, " are read"));
    }
    if (type == 'L') overrides_.name = std::string(content.substr(0, content.find('\0')));
    if (type == 'x') return ReadPax(content);
    return absl::OkStatus();  // global headers and names of links matter to nothing here
  }

  // Records "LENGTH KEY=VALUE\n", the length counting the whole record.
  absl::Status ReadPax(absl::string_view records) {
    while (!records.empty()) {
      size_t space = records.find(' ');
      uint32_t length = 0;
      if (space == absl::string_view::npos ||
          !absl::SimpleAtoi(records.substr(0, space), &length) || length <= space + 1 ||
          length > records.size() || records[length - 1] != '\n') {
        return Bad("a pax header can't be read");
      }
      absl::string_view record = records.substr(space + 1, length - space - 2);
      records.remove_prefix(length);
      size_t equals = record.find('=');
      if (equals == absl::string_view::npos) return Bad("a pax header can't be read");
      absl::string_view key = record.substr(0, equals), value = record.substr(equals + 1);
      if (absl::StartsWith(key, "GNU.sparse.")) return Bad("it holds a sparse file");
      if (key == "path") overrides_.name = std::string(value);
      if (key == "size") {
        int64_t size = 0;
        if (!absl::SimpleAtoi(value, &size) || size < 0) return Bad("a pax header can't be read");
        overrides_.size = size;
      }
    }
    return absl::OkStatus();
  }

  absl::Status AddMember(char type, absl::string_view name, absl::string_view content) {
    while (absl::ConsumePrefix(&name, "./")) {
    }
    const std::string shown = absl::StrCat("member \"", Printable(name), "\" ");
    const bool folder = type == '5' || (absl::EndsWith(name, "/") && (type == '0' || type == '\0'));
    absl::ConsumeSuffix(&name, "/");
    if (folder && (name.empty() || name == ".")) return absl::OkStatus();
    if (!IsSafeName(name)) return Bad(absl::StrCat(shown, "has a name that leaves the archive"));
    if (folder) return absl::OkStatus();
    if (type != '0' && type != '\0') {
      return Bad(absl::StrCat(shown, "is ", KindOf(type), "; only files and folders are read"));
    }
    if (!names_.insert(std::string(name)).second) return Bad(absl::StrCat(shown, "occurs twice"));
    members_.push_back({std::string(name), content});
    return absl::OkStatus();
  }

  const NamedBytes& file_;
  size_t offset_ = 0;
  Overrides overrides_;
  absl::flat_hash_set<std::string> names_;
  std::vector<NamedBytes> members_;
};

}  // namespace

bool IsTar(absl::string_view bytes) {
  return bytes.size() >= kBlock && bytes.substr(kMagic, 5) == "ustar";
}

absl::StatusOr<std::vector<NamedBytes>> ReadTar(const NamedBytes& file) {
  return Reader(file).Read();
}

}  // namespace mantissa::data
