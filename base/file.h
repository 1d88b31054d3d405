// The only door to the disk, so that tests can let it run full or fail (faulty_file.h).
//
//   FileSystem& files = RealFileSystem();
//   RETURN_IF_ERROR(files.MakeFolders(JoinPath(data_dir, "jobs")));
//   RETURN_IF_ERROR(files.WriteAtomically(JoinPath(data_dir, "jobs", "plan.json"), text));
//   ASSIGN_OR_RETURN(auto log, files.OpenForAppend(JoinPath(data_dir, "log")));
//   RETURN_IF_ERROR(log->Append("line\n"));
//   RETURN_IF_ERROR(log->Sync());
//
// Errors: NOT_FOUND (ENOENT), ALREADY_EXISTS (EEXIST), PERMISSION_DENIED (EACCES, EPERM, EROFS),
// RESOURCE_EXHAUSTED (ENOSPC, EDQUOT, EMFILE), FAILED_PRECONDITION (ENOTDIR, EISDIR, ENOTEMPTY),
// else INTERNAL. The text names the operation and the path.
#ifndef MANTISSA_BASE_FILE_H_
#define MANTISSA_BASE_FILE_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"

namespace mantissa {

// A file open for reading at any place. Thread-safe.
class ReadableFile {
 public:
  virtual ~ReadableFile() = default;
  // Bytes, as of opening.
  virtual int64_t size() const = 0;
  // Fills `out` with the bytes from `offset` on. OUT_OF_RANGE if the file ends before.
  virtual absl::Status ReadAt(int64_t offset, absl::Span<char> out) const = 0;
};

// A file open for writing at its end. Not thread-safe. Closed by its destructor.
class AppendableFile {
 public:
  virtual ~AppendableFile() = default;
  // Bytes, with those appended.
  virtual int64_t size() const = 0;
  // After an error any prefix of `bytes` may have been written; size() counts what was.
  virtual absl::Status Append(absl::string_view bytes) = 0;
  // Returns once everything appended survives a loss of power.
  virtual absl::Status Sync() = 0;
};

// Thread-safe.
class FileSystem {
 public:
  virtual ~FileSystem() = default;

  // The whole file. RESOURCE_EXHAUSTED if it is larger than `max_bytes`.
  absl::StatusOr<std::string> Read(absl::string_view path, int64_t max_bytes = int64_t{1} << 32);

  virtual absl::StatusOr<std::unique_ptr<ReadableFile>> OpenForRead(absl::string_view path) = 0;

  // Creates the file if it is not there. With `truncate` it starts empty.
  virtual absl::StatusOr<std::unique_ptr<AppendableFile>> OpenForAppend(absl::string_view path,
                                                                        bool truncate = false) = 0;

  // Replaces the file at once and durably: after a crash at any moment there is either the old
  // content or the new. Goes through "`path`.tmp" beside it, which is removed after an error.
  absl::Status WriteAtomically(absl::string_view path, absl::string_view bytes);

  // Replaces `to` if it is there; durable when it returns.
  virtual absl::Status Rename(absl::string_view from, absl::string_view to) = 0;

  // A file. NOT_FOUND if there is none.
  virtual absl::Status Remove(absl::string_view path) = 0;

  // A folder with all in it; links are not followed. OK if there is none.
  virtual absl::Status RemoveTree(absl::string_view path) = 0;

  // The folder and those above it. OK if it is there.
  virtual absl::Status MakeFolders(absl::string_view path) = 0;

  // Names (not paths) of what is in a folder, sorted; without "." and "..".
  virtual absl::StatusOr<std::vector<std::string>> List(absl::string_view path) = 0;

  // Whether something is there, be it a file or a folder.
  virtual bool Exists(absl::string_view path) = 0;
  virtual bool IsFolder(absl::string_view path) = 0;

  // Bytes of a file.
  virtual absl::StatusOr<int64_t> Size(absl::string_view path) = 0;

  // Bytes that can still be written to the file system of `path`.
  virtual absl::StatusOr<int64_t> FreeBytes(absl::string_view path) = 0;
};

// The disk of the machine. Never destroyed.
FileSystem& RealFileSystem();

// A descriptor to hand to another process as its standard input or output: for appending (created
// with mode 0600 if need be) or for reading. Closed by exec and owned by the caller.
absl::StatusOr<int> OpenDescriptor(absl::string_view path, bool append);

// "a", "b/c" -> "a/b/c". Parts must not be empty; a part that starts with "/" is not special, so
// never pass an untrusted part without checking it.
template <typename... Parts>
std::string JoinPath(absl::string_view first, const Parts&... parts) {
  std::string path(first);
  (
      [&](absl::string_view part) {
        if (!path.empty() && path.back() != '/') path += '/';
        path.append(part.data(), part.size());
      }(parts),
      ...);
  return path;
}

// "a/b/c" -> "a/b"; "c" -> "."; "/c" -> "/".
std::string ParentPath(absl::string_view path);

// "a/b/c.txt" -> "c.txt".
std::string BaseName(absl::string_view path);

}  // namespace mantissa

#endif  // MANTISSA_BASE_FILE_H_
