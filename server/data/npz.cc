#include "server/data/npz.h"

#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "base/file.h"
#include "base/status.h"
#include "server/data/names.h"
#include "server/data/zip.h"

namespace mantissa::data {

absl::StatusOr<std::map<std::string, NpyArray>> ParseNpz(absl::string_view name,
                                                         absl::string_view bytes,
                                                         const NpzLimits& limits) {
  ASSIGN_OR_RETURN(ZipArchive zip, ZipArchive::Open(name, bytes));
  std::map<std::string, NpyArray> arrays;
  int64_t left = limits.max_bytes;
  for (const ZipEntry& entry : zip.entries()) {
    std::string unpacked;
    ASSIGN_OR_RETURN(const absl::string_view content, zip.View(entry, left, unpacked));
    left -= entry.size;
    ASSIGN_OR_RETURN(NpyArray array,
                     ParseNpy(absl::StrCat(name, ": ", Printable(entry.name)), content));
    arrays.emplace(absl::StripSuffix(entry.name, ".npy"), std::move(array));
  }
  return arrays;
}

absl::StatusOr<std::map<std::string, NpyArray>> ReadNpz(const std::string& path,
                                                        const NpzLimits& limits) {
  ASSIGN_OR_RETURN(std::string bytes, RealFileSystem().Read(path, limits.max_bytes));
  return ParseNpz(path, bytes, limits);
}

}  // namespace mantissa::data
