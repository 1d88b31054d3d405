#include "client/cc/image_tar.h"

#include <archive.h>
#include <archive_entry.h>

#include <algorithm>
#include <memory>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "base/status.h"

namespace mantissa::client {
namespace {

constexpr int kDeepestFolder = 16;
constexpr int64_t kLargestImageBytes = int64_t{256} << 20;

bool IsImageName(absl::string_view name) {
  const std::string lower = absl::AsciiStrToLower(name);
  return absl::EndsWith(lower, ".jpg") || absl::EndsWith(lower, ".jpeg") ||
         absl::EndsWith(lower, ".png");
}

absl::Status ListBelow(FileSystem& files, const std::string& folder, const std::string& prefix,
                       int depth, std::vector<std::string>& names) {
  if (depth > kDeepestFolder) {
    return absl::InvalidArgumentError(
        absl::StrCat(folder, " is nested deeper than ", kDeepestFolder,
                     " folders; an image folder is FOLDER/CLASS/IMAGE, or FOLDER/train/CLASS/IMAGE "
                     "and FOLDER/test/CLASS/IMAGE. Look for a link that leads back."));
  }
  ASSIGN_OR_RETURN(const std::vector<std::string> entries, files.List(folder));
  for (const std::string& entry : entries) {
    if (absl::StartsWith(entry, ".")) continue;
    const std::string path = JoinPath(folder, entry);
    const std::string name = absl::StrCat(prefix, entry);
    if (files.IsFolder(path)) {
      RETURN_IF_ERROR(ListBelow(files, path, absl::StrCat(name, "/"), depth + 1, names));
    } else if (!prefix.empty() && IsImageName(entry)) {
      names.push_back(name);
    }
  }
  return absl::OkStatus();
}

// libarchive's calls, which tell errors by code and keep their text.
class TarWriter {
 public:
  explicit TarWriter(AppendableFile& out) : out_(out), archive_(archive_write_new()) {}
  ~TarWriter() { archive_write_free(archive_); }

  absl::Status Open() {
    // Plain ustar where a name fits, a pax header where it does not.
    RETURN_IF_ERROR(Check(archive_write_set_format_pax_restricted(archive_)));
    // Names are bytes, whatever the locale.
    RETURN_IF_ERROR(Check(archive_write_set_options(archive_, "hdrcharset=BINARY")));
    RETURN_IF_ERROR(Check(archive_write_set_bytes_in_last_block(archive_, 1)));
    return Check(archive_write_open(archive_, this, nullptr, &TarWriter::Write, nullptr));
  }

  absl::Status Add(const std::string& name, absl::string_view bytes) {
    std::unique_ptr<archive_entry, void (*)(archive_entry*)> entry(archive_entry_new(),
                                                                   &archive_entry_free);
    archive_entry_set_pathname(entry.get(), name.c_str());
    archive_entry_set_size(entry.get(), static_cast<int64_t>(bytes.size()));
    archive_entry_set_filetype(entry.get(), AE_IFREG);
    archive_entry_set_perm(entry.get(), 0644);
    archive_entry_set_mtime(entry.get(), 0, 0);
    RETURN_IF_ERROR(Check(archive_write_header(archive_, entry.get())));
    const auto written = archive_write_data(archive_, bytes.data(), bytes.size());
    return Check(written == static_cast<la_ssize_t>(bytes.size()) ? ARCHIVE_OK : ARCHIVE_FATAL);
  }

  absl::Status Close() { return Check(archive_write_close(archive_)); }

 private:
  static la_ssize_t Write(archive*, void* self, const void* bytes, size_t size) {
    auto* writer = static_cast<TarWriter*>(self);
    writer->written_ = writer->out_.Append({static_cast<const char*>(bytes), size});
    return writer->written_.ok() ? static_cast<la_ssize_t>(size) : -1;
  }

  absl::Status Check(int code) {
    RETURN_IF_ERROR(written_);
    if (code >= ARCHIVE_WARN) return absl::OkStatus();
    const char* text = archive_error_string(archive_);
    return absl::InternalError(
        absl::StrCat("the .tar could not be written: ", text == nullptr ? "no reason told" : text));
  }

  AppendableFile& out_;
  archive* const archive_;
  absl::Status written_;
};

}  // namespace

absl::StatusOr<std::vector<std::string>> ListImages(FileSystem& files, const std::string& folder) {
  std::vector<std::string> names;
  RETURN_IF_ERROR(ListBelow(files, folder, "", 0, names));
  std::sort(names.begin(), names.end());
  return names;
}

absl::Status WriteImageTar(FileSystem& files, const std::string& folder,
                           const std::vector<std::string>& names, const std::string& destination) {
  ASSIGN_OR_RETURN(const auto out, files.OpenForAppend(destination, /*truncate=*/true));
  TarWriter tar(*out);
  RETURN_IF_ERROR(tar.Open());
  for (const std::string& name : names) {
    ASSIGN_OR_RETURN(const std::string bytes,
                     files.Read(JoinPath(folder, name), kLargestImageBytes));
    RETURN_IF_ERROR(tar.Add(name, bytes));
  }
  return tar.Close();
}

}  // namespace mantissa::client
