#include "base/faulty_file.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/types/span.h"
#include "base/status.h"

namespace mantissa {

class FaultyFileSystem::Reader : public ReadableFile {
 public:
  Reader(FaultyFileSystem& files, std::unique_ptr<ReadableFile> base)
      : files_(files), base_(std::move(base)) {}

  int64_t size() const override { return base_->size(); }

  absl::Status ReadAt(int64_t offset, absl::Span<char> out) const override {
    RETURN_IF_ERROR(files_.TakeFault("ReadAt"));
    return base_->ReadAt(offset, out);
  }

 private:
  FaultyFileSystem& files_;
  const std::unique_ptr<ReadableFile> base_;
};

class FaultyFileSystem::Writer : public AppendableFile {
 public:
  Writer(FaultyFileSystem& files, std::string path, std::unique_ptr<AppendableFile> base)
      : files_(files), path_(std::move(path)), base_(std::move(base)) {}

  int64_t size() const override { return base_->size(); }

  absl::Status Append(absl::string_view bytes) override {
    RETURN_IF_ERROR(files_.TakeFault("Append"));
    const size_t fits = files_.TakeSpace(bytes.size());
    RETURN_IF_ERROR(base_->Append(bytes.substr(0, fits)));
    if (fits < bytes.size()) {
      return absl::ResourceExhaustedError(
          absl::StrCat("cannot write to ", path_, ": No space left on device"));
    }
    return absl::OkStatus();
  }

  absl::Status Sync() override {
    RETURN_IF_ERROR(files_.TakeFault("Sync"));
    return base_->Sync();
  }

 private:
  FaultyFileSystem& files_;
  const std::string path_;
  const std::unique_ptr<AppendableFile> base_;
};

void FaultyFileSystem::LimitWrites(std::optional<int64_t> bytes) {
  absl::MutexLock lock(&mutex_);
  space_ = bytes;
}

void FaultyFileSystem::FailNext(absl::string_view operation, absl::Status error) {
  absl::MutexLock lock(&mutex_);
  faults_[std::string(operation)] = std::move(error);
}

absl::Status FaultyFileSystem::TakeFault(absl::string_view operation) {
  absl::MutexLock lock(&mutex_);
  const auto it = faults_.find(operation);
  if (it == faults_.end()) return absl::OkStatus();
  absl::Status error = std::move(it->second);
  faults_.erase(it);
  return error;
}

int64_t FaultyFileSystem::TakeSpace(int64_t bytes) {
  absl::MutexLock lock(&mutex_);
  if (!space_.has_value()) return bytes;
  const int64_t fits = std::min(*space_, bytes);
  *space_ -= fits;
  return fits;
}

absl::StatusOr<std::unique_ptr<ReadableFile>> FaultyFileSystem::OpenForRead(
    absl::string_view path) {
  RETURN_IF_ERROR(TakeFault("OpenForRead"));
  ASSIGN_OR_RETURN(auto file, base_.OpenForRead(path));
  return std::make_unique<Reader>(*this, std::move(file));
}

absl::StatusOr<std::unique_ptr<AppendableFile>> FaultyFileSystem::OpenForAppend(
    absl::string_view path, bool truncate) {
  RETURN_IF_ERROR(TakeFault("OpenForAppend"));
  ASSIGN_OR_RETURN(auto file, base_.OpenForAppend(path, truncate));
  return std::make_unique<Writer>(*this, std::string(path), std::move(file));
}

absl::Status FaultyFileSystem::Rename(absl::string_view from, absl::string_view to) {
  RETURN_IF_ERROR(TakeFault("Rename"));
  return base_.Rename(from, to);
}

absl::Status FaultyFileSystem::Remove(absl::string_view path) {
  RETURN_IF_ERROR(TakeFault("Remove"));
  return base_.Remove(path);
}

absl::Status FaultyFileSystem::RemoveTree(absl::string_view path) {
  RETURN_IF_ERROR(TakeFault("RemoveTree"));
  return base_.RemoveTree(path);
}

absl::Status FaultyFileSystem::MakeFolders(absl::string_view path) {
  RETURN_IF_ERROR(TakeFault("MakeFolders"));
  return base_.MakeFolders(path);
}

absl::StatusOr<std::vector<std::string>> FaultyFileSystem::List(absl::string_view path) {
  RETURN_IF_ERROR(TakeFault("List"));
  return base_.List(path);
}

absl::StatusOr<int64_t> FaultyFileSystem::Size(absl::string_view path) {
  RETURN_IF_ERROR(TakeFault("Size"));
  return base_.Size(path);
}

absl::StatusOr<int64_t> FaultyFileSystem::FreeBytes(absl::string_view path) {
  RETURN_IF_ERROR(TakeFault("FreeBytes"));
  {
    absl::MutexLock lock(&mutex_);
    if (space_.has_value()) return *space_;
  }
  return base_.FreeBytes(path);
}

}  // namespace mantissa
