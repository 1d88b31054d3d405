// A whole file as bytes in memory that the kernel reads where they are looked at, for files too
// large to be copied.
//
//   ASSIGN_OR_RETURN(MappedFile file, MappedFile::Open(path));
//   Parse(file.bytes());
//
// The file must not become shorter while it is mapped: reading what is gone ends the process. Use
// it for files that are complete before others see their names. Const access from many threads is
// safe.
#ifndef MANTISSA_BASE_MAPPED_FILE_H_
#define MANTISSA_BASE_MAPPED_FILE_H_

#include <cstddef>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace mantissa {

class MappedFile {
 public:
  // Errors as in base/file.h. An empty file has no bytes.
  static absl::StatusOr<MappedFile> Open(absl::string_view path);

  MappedFile(MappedFile&& other) noexcept;
  MappedFile& operator=(MappedFile&& other) noexcept;
  ~MappedFile();

  absl::string_view bytes() const { return {data_, size_}; }

 private:
  MappedFile(const char* data, size_t size) : data_(data), size_(size) {}

  const char* data_;
  size_t size_;
};

}  // namespace mantissa

#endif  // MANTISSA_BASE_MAPPED_FILE_H_
