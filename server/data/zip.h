// server/data/zip.h
//
// A strict reader of zip archives: stored and deflated entries, zip64, nothing else.
//
//   ASSIGN_OR_RETURN(ZipArchive zip, ZipArchive::Open(name, bytes));
//   for (const ZipEntry& entry : zip.entries()) { ... zip.View(entry, limit, unpacked) ... }
//
// The central directory is the truth, and every local header must agree with it. Refused: encrypted
// or overlapping entries (one deflate stream shared by many is how bombs of 46 MB unpack to 4 PB),
// names that are absolute, climb with "..", or occur twice, links, archives in several parts.
// Const access from many threads is safe; the bytes must outlive the archive.

#ifndef MANTISSA_SERVER_DATA_ZIP_H_
#define MANTISSA_SERVER_DATA_ZIP_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace mantissa::data {

// Whether `bytes` starts as a zip archive does.
bool IsZip(absl::string_view bytes);

struct ZipEntry {
  std::string name;
  absl::string_view compressed;
  int64_t size = 0;  // bytes when extracted, as the archive claims
  uint32_t crc32 = 0;
  bool deflated = false;
};

class ZipArchive {
 public:
  // Most entries of an archive.
  static constexpr int kMaxEntries = 65536;

  // `name` is for errors. InvalidArgument says what is wrong in the archive.
  static absl::StatusOr<ZipArchive> Open(absl::string_view name, absl::string_view bytes);

  // In the order of the central directory, folders left out.
  const std::vector<ZipEntry>& entries() const { return entries_; }
  // The entry's bytes, size and checksum verified: where they stand if the entry is stored, else
  // put into `unpacked`. ResourceExhausted above `limit` bytes.
  absl::StatusOr<absl::string_view> View(const ZipEntry& entry, int64_t limit,
                                         std::string& unpacked) const;

 private:
  explicit ZipArchive(absl::string_view name) : name_(name) {}

  std::string name_;
  std::vector<ZipEntry> entries_;
};

}  // namespace mantissa::data

#endif  // MANTISSA_SERVER_DATA_ZIP_H_
