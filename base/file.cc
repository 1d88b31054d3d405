#include "base/file.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <system_error>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/status.h"

namespace mantissa {
namespace {

absl::StatusCode CodeOf(int error) {
  switch (error) {
    case ENOENT:
      return absl::StatusCode::kNotFound;
    case EEXIST:
      return absl::StatusCode::kAlreadyExists;
    case EACCES:
    case EPERM:
    case EROFS:
      return absl::StatusCode::kPermissionDenied;
    case ENOSPC:
    case EDQUOT:
    case EMFILE:
    case ENFILE:
      return absl::StatusCode::kResourceExhausted;
    case ENOTDIR:
    case EISDIR:
    case ENOTEMPTY:
      return absl::StatusCode::kFailedPrecondition;
    default:
      return absl::StatusCode::kInternal;
  }
}

absl::Status ErrnoError(absl::string_view operation, absl::string_view path, int error) {
  return absl::Status(CodeOf(error), absl::StrCat("cannot ", operation, " ", path, ": ",
                                                  std::generic_category().message(error)));
}

// Owns a file descriptor.
class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  Descriptor(Descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  ~Descriptor() {
    if (fd_ >= 0) close(fd_);
  }
  int get() const { return fd_; }
  int release() { return std::exchange(fd_, -1); }

 private:
  int fd_;
};

absl::StatusOr<Descriptor> Open(absl::string_view operation, absl::string_view path, int flags,
                                mode_t mode = 0644) {
  int fd;
  do {
    fd = open(std::string(path).c_str(), flags | O_CLOEXEC, mode);
  } while (fd < 0 && errno == EINTR);
  if (fd < 0) return ErrnoError(operation, path, errno);
  return Descriptor(fd);
}

absl::Status SyncFolder(absl::string_view path) {
  ASSIGN_OR_RETURN(const Descriptor folder, Open("open", path, O_RDONLY | O_DIRECTORY));
  if (fsync(folder.get()) != 0) return ErrnoError("sync", path, errno);
  return absl::OkStatus();
}

class PosixReadableFile : public ReadableFile {
 public:
  PosixReadableFile(std::string path, Descriptor fd, int64_t size)
      : path_(std::move(path)), fd_(std::move(fd)), size_(size) {}

  int64_t size() const override { return size_; }

  absl::Status ReadAt(int64_t offset, absl::Span<char> out) const override {
    while (!out.empty()) {
      const ssize_t n = pread(fd_.get(), out.data(), out.size(), offset);
      if (n < 0 && errno == EINTR) continue;
      if (n < 0) return ErrnoError("read", path_, errno);
      if (n == 0) {
        return absl::OutOfRangeError(
            absl::StrCat("cannot read ", path_, ": it ends at byte ", offset));
      }
      offset += n;
      out.remove_prefix(n);
    }
    return absl::OkStatus();
  }

 private:
  const std::string path_;
  const Descriptor fd_;
  const int64_t size_;
};

class PosixAppendableFile : public AppendableFile {
 public:
  PosixAppendableFile(std::string path, Descriptor fd, int64_t size)
      : path_(std::move(path)), fd_(std::move(fd)), size_(size) {}

  int64_t size() const override { return size_; }

  absl::Status Append(absl::string_view bytes) override {
    while (!bytes.empty()) {
      const ssize_t n = write(fd_.get(), bytes.data(), bytes.size());
      if (n < 0 && errno == EINTR) continue;
      if (n < 0) return ErrnoError("write to", path_, errno);
      size_ += n;
      bytes.remove_prefix(n);
    }
    return absl::OkStatus();
  }

  absl::Status Sync() override {
    if (fsync(fd_.get()) != 0) return ErrnoError("sync", path_, errno);
    return absl::OkStatus();
  }

 private:
  const std::string path_;
  const Descriptor fd_;
  int64_t size_;
};

absl::StatusOr<int64_t> SizeOf(absl::string_view path, int fd) {
  struct stat info;
  if (fstat(fd, &info) != 0) return ErrnoError("stat", path, errno);
  if (S_ISDIR(info.st_mode)) return ErrnoError("open", path, EISDIR);
  return info.st_size;
}

class PosixFileSystem : public FileSystem {
 public:
  absl::StatusOr<std::unique_ptr<ReadableFile>> OpenForRead(absl::string_view path) override {
    ASSIGN_OR_RETURN(Descriptor fd, Open("open", path, O_RDONLY));
    ASSIGN_OR_RETURN(const int64_t size, SizeOf(path, fd.get()));
    return std::make_unique<PosixReadableFile>(std::string(path), std::move(fd), size);
  }

  absl::StatusOr<std::unique_ptr<AppendableFile>> OpenForAppend(absl::string_view path,
                                                                bool truncate) override {
    const int flags = O_WRONLY | O_CREAT | O_APPEND | (truncate ? O_TRUNC : 0);
    ASSIGN_OR_RETURN(Descriptor fd, Open("open for writing", path, flags));
    ASSIGN_OR_RETURN(const int64_t size, SizeOf(path, fd.get()));
    return std::make_unique<PosixAppendableFile>(std::string(path), std::move(fd), size);
  }

  absl::Status Rename(absl::string_view from, absl::string_view to) override {
    if (rename(std::string(from).c_str(), std::string(to).c_str()) != 0) {
      return ErrnoError(absl::StrCat("rename ", from, " to"), to, errno);
    }
    return SyncFolder(ParentPath(to));
  }

  absl::Status Remove(absl::string_view path) override {
    if (unlink(std::string(path).c_str()) != 0) return ErrnoError("remove", path, errno);
    return absl::OkStatus();
  }

  absl::Status RemoveTree(absl::string_view path) override {
    std::error_code error;
    std::filesystem::remove_all(std::string(path), error);
    if (error) return ErrnoError("remove", path, error.value());
    return absl::OkStatus();
  }

  absl::Status MakeFolders(absl::string_view path) override {
    std::error_code error;
    std::filesystem::create_directories(std::string(path), error);
    if (error) return ErrnoError("make folder", path, error.value());
    return absl::OkStatus();
  }

  absl::StatusOr<std::vector<std::string>> List(absl::string_view path) override {
    std::error_code error;
    std::vector<std::string> names;
    std::filesystem::directory_iterator it(std::string(path), error);
    for (; !error && it != std::filesystem::directory_iterator(); it.increment(error)) {
      names.push_back(it->path().filename().string());
    }
    if (error) return ErrnoError("list", path, error.value());
    std::sort(names.begin(), names.end());
    return names;
  }

  bool Exists(absl::string_view path) override {
    std::error_code error;
    return std::filesystem::exists(std::string(path), error);
  }

  bool IsFolder(absl::string_view path) override {
    std::error_code error;
    return std::filesystem::is_directory(std::string(path), error);
  }

  absl::StatusOr<int64_t> Size(absl::string_view path) override {
    std::error_code error;
    const uintmax_t size = std::filesystem::file_size(std::string(path), error);
    if (error) return ErrnoError("stat", path, error.value());
    return static_cast<int64_t>(size);
  }

  absl::StatusOr<int64_t> FreeBytes(absl::string_view path) override {
    struct statvfs info;
    if (statvfs(std::string(path).c_str(), &info) != 0) return ErrnoError("stat", path, errno);
    return static_cast<int64_t>(info.f_bavail) * static_cast<int64_t>(info.f_frsize);
  }
};

}  // namespace

absl::StatusOr<std::string> FileSystem::Read(absl::string_view path, int64_t max_bytes) {
  ASSIGN_OR_RETURN(const std::unique_ptr<ReadableFile> file, OpenForRead(path));
  if (file->size() > max_bytes) {
    return absl::ResourceExhaustedError(
        absl::StrCat(path, " has ", file->size(), " bytes; allowed at most ", max_bytes, "."));
  }
  std::string bytes(file->size(), '\0');
  RETURN_IF_ERROR(file->ReadAt(0, absl::MakeSpan(bytes)));
  return bytes;
}

absl::Status FileSystem::WriteAtomically(absl::string_view path, absl::string_view bytes) {
  const std::string scratch = absl::StrCat(path, ".tmp");
  absl::Status written = [&]() -> absl::Status {
    ASSIGN_OR_RETURN(const std::unique_ptr<AppendableFile> file,
                     OpenForAppend(scratch, /*truncate=*/true));
    RETURN_IF_ERROR(file->Append(bytes));
    RETURN_IF_ERROR(file->Sync());
    return Rename(scratch, path);
  }();
  // The first error is the one to report; a scratch file that stays behind does no harm.
  if (!written.ok()) Remove(scratch).IgnoreError();
  return written;
}

FileSystem& RealFileSystem() {
  static PosixFileSystem* const files = new PosixFileSystem;
  return *files;
}

absl::StatusOr<int> OpenDescriptor(absl::string_view path, bool append) {
  const int flags = append ? O_WRONLY | O_APPEND | O_CREAT : O_RDONLY;
  ASSIGN_OR_RETURN(Descriptor fd, Open(append ? "open for writing" : "open", path, flags, 0600));
  return fd.release();
}

std::string ParentPath(absl::string_view path) {
  const size_t slash = path.rfind('/');
  if (slash == absl::string_view::npos) return ".";
  return slash == 0 ? "/" : std::string(path.substr(0, slash));
}

std::string BaseName(absl::string_view path) {
  const size_t slash = path.rfind('/');
  return std::string(slash == absl::string_view::npos ? path : path.substr(slash + 1));
}

}  // namespace mantissa
