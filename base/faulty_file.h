// A file system that fails on command, over a real one.
//
//   FaultyFileSystem files(RealFileSystem());
//   files.LimitWrites(100);                          // a disk with 100 bytes left
//   files.FailNext("Rename", absl::InternalError("gone"));
#ifndef MANTISSA_BASE_FAULTY_FILE_H_
#define MANTISSA_BASE_FAULTY_FILE_H_

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "base/file.h"

namespace mantissa {

// Thread-safe. `base` must outlive it.
class FaultyFileSystem : public FileSystem {
 public:
  explicit FaultyFileSystem(FileSystem& base) : base_(base) {}

  // From now on `bytes` more can be written. The write that goes beyond writes what fits (a short
  // write) and fails with RESOURCE_EXHAUSTED, as do those after it. nullopt: no limit.
  void LimitWrites(std::optional<int64_t> bytes);

  // The next call of `operation` fails with `error` and does nothing. Operations are named as the
  // methods: "OpenForRead", "ReadAt", "OpenForAppend", "Append", "Sync", "Rename", "Remove",
  // "RemoveTree", "MakeFolders", "List", "Size", "FreeBytes".
  void FailNext(absl::string_view operation, absl::Status error);

  absl::StatusOr<std::unique_ptr<ReadableFile>> OpenForRead(absl::string_view path) override;
  absl::StatusOr<std::unique_ptr<AppendableFile>> OpenForAppend(absl::string_view path,
                                                                bool truncate) override;
  absl::Status Rename(absl::string_view from, absl::string_view to) override;
  absl::Status Remove(absl::string_view path) override;
  absl::Status RemoveTree(absl::string_view path) override;
  absl::Status MakeFolders(absl::string_view path) override;
  absl::StatusOr<std::vector<std::string>> List(absl::string_view path) override;
  bool Exists(absl::string_view path) override { return base_.Exists(path); }
  bool IsFolder(absl::string_view path) override { return base_.IsFolder(path); }
  absl::StatusOr<int64_t> Size(absl::string_view path) override;
  // With LimitWrites, what is left of it.
  absl::StatusOr<int64_t> FreeBytes(absl::string_view path) override;

 private:
  class Reader;
  class Writer;

  // The error that FailNext left for `operation`, once; else OK.
  absl::Status TakeFault(absl::string_view operation);

  // How many of `bytes` fit; they count as written.
  int64_t TakeSpace(int64_t bytes);

  FileSystem& base_;
  absl::Mutex mutex_;
  std::optional<int64_t> space_ ABSL_GUARDED_BY(mutex_);
  std::map<std::string, absl::Status, std::less<>> faults_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace mantissa

#endif  // MANTISSA_BASE_FAULTY_FILE_H_
