#include "server/data/zip.h"

#include <zlib.h>

#include <algorithm>
#include <utility>

#include "absl/container/flat_hash_set.h"
#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "base/status.h"
#include "server/data/bytes.h"
#include "server/data/inflate.h"
#include "server/data/names.h"

namespace mantissa::data {
namespace {

// Signatures and fixed sizes of PKWARE's APPNOTE.
constexpr uint32_t kLocalSignature = 0x04034b50;
constexpr uint32_t kCentralSignature = 0x02014b50;
constexpr uint32_t kEndSignature = 0x06054b50;
constexpr uint32_t kEnd64Signature = 0x06064b50;
constexpr uint32_t kEnd64LocatorSignature = 0x07064b50;
constexpr size_t kEndSize = 22;
constexpr size_t kEnd64LocatorSize = 20;
constexpr uint16_t kMethodStored = 0, kMethodDeflated = 8;
constexpr uint16_t kZip64Extra = 1;
constexpr uint32_t kIn64 = 0xffffffff;

struct Directory {
  uint64_t entries = 0;
  uint64_t offset = 0;
  uint64_t size = 0;
};

// One record of the central directory.
struct CentralRecord {
  uint16_t made_by = 0, flags = 0, method = 0;
  uint32_t crc32 = 0, attributes = 0;
  uint64_t compressed_size = 0, size = 0, local_offset = 0;
  absl::string_view name;
};

class Opener {
 public:
  Opener(absl::string_view name, absl::string_view bytes) : name_(name), bytes_(bytes) {}

  absl::StatusOr<std::vector<ZipEntry>> Open() {
    ASSIGN_OR_RETURN(Directory directory, FindDirectory());
    if (directory.entries > ZipArchive::kMaxEntries) {
      return Bad(absl::StrCat("it has ", directory.entries, " entries; at most ",
                              ZipArchive::kMaxEntries, " are read"));
    }
    if (directory.offset > bytes_.size() || directory.size > bytes_.size() - directory.offset) {
      return Truncated();
    }
    ByteReader reader(bytes_.substr(directory.offset, directory.size));
    std::vector<ZipEntry> entries;
    for (uint64_t i = 0; i < directory.entries; ++i) {
      CentralRecord record;
      RETURN_IF_ERROR(ReadCentral(reader, record));
      RETURN_IF_ERROR(AddEntry(record, directory.offset, entries));
    }
    RETURN_IF_ERROR(CheckOverlaps());
    return entries;
  }

 private:
  absl::Status Bad(absl::string_view what) const {
    return absl::InvalidArgumentError(absl::StrCat(name_, ": not a usable zip archive: ", what,
                                                   ". Write the file again and push it anew."));
  }
  absl::Status Truncated() const {
    return Bad(absl::StrCat("it is truncated or damaged: of ", bytes_.size(),
                            " bytes the directory of its entries is missing or incomplete"));
  }

  absl::StatusOr<Directory> FindDirectory() const {
    if (bytes_.size() < kEndSize) return Truncated();
    // The end record is followed only by a comment of at most 65,535 bytes.
    size_t first = bytes_.size() - std::min(bytes_.size(), kEndSize + 0xffff);
    for (size_t at = bytes_.size() - kEndSize + 1; at-- > first;) {
      ByteReader reader(bytes_.substr(at));
      uint32_t signature = 0, size = 0, offset = 0;
      uint16_t disk = 0, directory_disk = 0, here = 0, entries = 0, comment = 0;
      reader.ReadLe(&signature);
      if (signature != kEndSignature) continue;
      bool whole = reader.ReadLe(&disk) && reader.ReadLe(&directory_disk) && reader.ReadLe(&here) &&
                   reader.ReadLe(&entries) && reader.ReadLe(&size) && reader.ReadLe(&offset) &&
                   reader.ReadLe(&comment);
      if (!whole || comment != reader.left()) continue;
      if (disk != 0 || directory_disk != 0 || here != entries) return Bad("it is in several parts");
      if (entries == 0xffff || size == kIn64 || offset == kIn64) return FindDirectory64(at);
      if (uint64_t{offset} + size > at) return Truncated();
      return Directory{entries, offset, size};
    }
    return Truncated();
  }

  absl::StatusOr<Directory> FindDirectory64(size_t end_at) const {
    if (end_at < kEnd64LocatorSize) return Truncated();
    ByteReader locator(bytes_.substr(end_at - kEnd64LocatorSize, kEnd64LocatorSize));
    uint32_t signature = 0, disk = 0, disks = 0;
    uint64_t at = 0;
    locator.ReadLe(&signature), locator.ReadLe(&disk), locator.ReadLe(&at), locator.ReadLe(&disks);
    if (signature != kEnd64LocatorSignature || at > end_at) return Truncated();
    if (disk != 0 || disks > 1) return Bad("it is in several parts");
    ByteReader reader(bytes_.substr(at, end_at - at));
    uint64_t record_size = 0, here = 0, entries = 0, size = 0, offset = 0;
    bool whole = reader.ReadLe(&signature) && reader.ReadLe(&record_size) &&
                 reader.Skip(2 + 2 + 4 + 4) && reader.ReadLe(&here) && reader.ReadLe(&entries) &&
                 reader.ReadLe(&size) && reader.ReadLe(&offset);
    if (!whole || signature != kEnd64Signature || here != entries) return Truncated();
    if (offset > at || size > at - offset) return Truncated();
    return Directory{entries, offset, size};
  }

  absl::Status ReadCentral(ByteReader& reader, CentralRecord& record) const {
    uint32_t signature = 0, compressed_size = 0, size = 0, local_offset = 0;
    uint16_t name_size = 0, extra_size = 0, comment_size = 0, disk = 0;
    absl::string_view extra;
    bool whole = reader.ReadLe(&signature) && reader.ReadLe(&record.made_by) && reader.Skip(2) &&
                 reader.ReadLe(&record.flags) && reader.ReadLe(&record.method) && reader.Skip(4) &&
                 reader.ReadLe(&record.crc32) && reader.ReadLe(&compressed_size) &&
                 reader.ReadLe(&size) && reader.ReadLe(&name_size) && reader.ReadLe(&extra_size) &&
                 reader.ReadLe(&comment_size) && reader.ReadLe(&disk) && reader.Skip(2) &&
                 reader.ReadLe(&record.attributes) && reader.ReadLe(&local_offset) &&
                 reader.ReadBytes(name_size, &record.name) &&
                 reader.ReadBytes(extra_size, &extra) && reader.Skip(comment_size);
    if (!whole || signature != kCentralSignature) return Truncated();
    record.compressed_size = compressed_size;
    record.size = size;
    record.local_offset = local_offset;
    if (size == kIn64 || compressed_size == kIn64 || local_offset == kIn64) {
      return ReadZip64Extra(extra, record);
    }
    return absl::OkStatus();
  }

  // The 64-bit values stand in for those that are 0xffffffff, in this order.
  absl::Status ReadZip64Extra(absl::string_view extra, CentralRecord& record) const {
    ByteReader reader(extra);
    uint16_t id = 0, size = 0;
    absl::string_view field;
    while (reader.ReadLe(&id) && reader.ReadLe(&size) && reader.ReadBytes(size, &field)) {
      if (id != kZip64Extra) continue;
      ByteReader values(field);
      bool whole = (record.size != kIn64 || values.ReadLe(&record.size)) &&
                   (record.compressed_size != kIn64 || values.ReadLe(&record.compressed_size)) &&
                   (record.local_offset != kIn64 || values.ReadLe(&record.local_offset));
      return whole ? absl::OkStatus() : Truncated();
    }
    return Truncated();
  }

  absl::Status AddEntry(const CentralRecord& record, uint64_t directory_offset,
                        std::vector<ZipEntry>& entries) {
    absl::string_view name = record.name;
    bool folder = absl::ConsumeSuffix(&name, "/");
    std::string shown = absl::StrCat("entry \"", Printable(name), "\" ");
    if (!IsSafeName(name)) return Bad(absl::StrCat(shown, "has a name that leaves the archive"));
    if (!names_.insert(std::string(name)).second) return Bad(absl::StrCat(shown, "occurs twice"));
    if ((record.flags & 0x2041) != 0) return Bad(absl::StrCat(shown, "is encrypted"));
    // Unix file types in the upper half of the attributes: a link is 0120000.
    if ((record.made_by >> 8) == 3 && ((record.attributes >> 16) & 0170000) == 0120000) {
      return Bad(absl::StrCat(shown, "is a link"));
    }
    if (record.method != kMethodStored && record.method != kMethodDeflated) {
      return Bad(absl::StrCat(shown, "is compressed with method ", record.method,
                              "; only stored (0) and deflated (8) are read"));
    }
    if (record.method == kMethodStored && record.size != record.compressed_size) {
      return Bad(absl::StrCat(shown, "has two sizes"));
    }
    if (record.size > static_cast<uint64_t>(INT64_MAX)) return Truncated();
    ASSIGN_OR_RETURN(absl::string_view data, LocalData(record, directory_offset));
    if (folder) return absl::OkStatus();
    entries.push_back({.name = std::string(name),
                       .compressed = data,
                       .size = static_cast<int64_t>(record.size),
                       .crc32 = record.crc32,
                       .deflated = record.method == kMethodDeflated});
    return absl::OkStatus();
  }

  absl::StatusOr<absl::string_view> LocalData(const CentralRecord& record,
                                              uint64_t directory_offset) {
    if (record.local_offset > directory_offset) return Truncated();
    ByteReader reader(bytes_.substr(record.local_offset, directory_offset - record.local_offset));
    uint32_t signature = 0;
    uint16_t method = 0, name_size = 0, extra_size = 0;
    absl::string_view name, data;
    bool whole = reader.ReadLe(&signature) && reader.Skip(4) && reader.ReadLe(&method) &&
                 reader.Skip(16) && reader.ReadLe(&name_size) && reader.ReadLe(&extra_size) &&
                 reader.ReadBytes(name_size, &name) && reader.Skip(extra_size) &&
                 reader.ReadBytes(record.compressed_size, &data);
    if (!whole || signature != kLocalSignature) return Truncated();
    if (name != record.name || method != record.method) {
      return Bad(absl::StrCat("entry \"", Printable(record.name), "\" is described in two ways"));
    }
    ranges_.push_back({record.local_offset, record.local_offset + reader.offset()});
    return data;
  }

  absl::Status CheckOverlaps() {
    std::sort(ranges_.begin(), ranges_.end());
    for (size_t i = 1; i < ranges_.size(); ++i) {
      if (ranges_[i].first < ranges_[i - 1].second) return Bad("its entries overlap");
    }
    return absl::OkStatus();
  }

  absl::string_view name_, bytes_;
  absl::flat_hash_set<std::string> names_;
  // [first, past the last) byte of each local header with its data.
  std::vector<std::pair<uint64_t, uint64_t>> ranges_;
};

uint32_t Crc32(absl::string_view bytes) {
  return static_cast<uint32_t>(
      crc32_z(0, reinterpret_cast<const Bytef*>(bytes.data()), bytes.size()));
}

}  // namespace

bool IsZip(absl::string_view bytes) {
  // The second is an archive of no entries.
  return absl::StartsWith(bytes, "PK\x03\x04") || absl::StartsWith(bytes, "PK\x05\x06");
}

absl::StatusOr<ZipArchive> ZipArchive::Open(absl::string_view name, absl::string_view bytes) {
  ZipArchive archive(name);
  ASSIGN_OR_RETURN(archive.entries_, Opener(name, bytes).Open());
  return archive;
}

absl::StatusOr<absl::string_view> ZipArchive::View(const ZipEntry& entry, int64_t limit,
                                                   std::string& unpacked) const {
  std::string shown = absl::StrCat(name_, ": ", Printable(entry.name));
  if (entry.size > limit) {
    return absl::ResourceExhaustedError(
        absl::StrCat(shown, ": unpacks to ", entry.size, " bytes; ", limit,
                     " are left of the limit. Push the data in smaller pieces."));
  }
  absl::string_view content = entry.compressed;
  if (entry.deflated) {
    ASSIGN_OR_RETURN(unpacked, InflateExactly(shown, entry.compressed, entry.size));
    content = unpacked;
  }
  if (Crc32(content) != entry.crc32) {
    return absl::InvalidArgumentError(absl::StrCat(
        shown, ": its checksum is wrong: the file is damaged. Write it again and push it anew."));
  }
  return content;
}

}  // namespace mantissa::data
