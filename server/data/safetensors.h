// Reads and writes .safetensors files: named tensors behind a JSON header. Trusts nothing it reads.
//
//   ASSIGN_OR_RETURN(Safetensors weights, Safetensors::Open(files, "weights.safetensors"));
//   std::vector<float> values(shape elements);
//   RETURN_IF_ERROR(weights.ReadF32("conv1.weight", {8, 3, 3, 3}, absl::MakeSpan(values)));
//
// The format: 8 bytes little-endian header length, the header (name -> dtype, shape, data_offsets;
// "__metadata__" -> strings), then the data, which the tensors cover without gap or overlap.
// Source: the format's description in the safetensors repository.
#ifndef MANTISSA_SERVER_DATA_SAFETENSORS_H_
#define MANTISSA_SERVER_DATA_SAFETENSORS_H_

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "base/file.h"

namespace mantissa::data {

struct SafetensorsLimits {
  int64_t header_bytes = int64_t{16} << 20;
  int64_t tensors = 1 << 20;
  int64_t dimensions = 16;
};

// An open file. Thread-safe.
class Safetensors {
 public:
  struct Entry {
    std::string dtype;  // "F32", "I64"...
    std::vector<int64_t> shape;
    int64_t begin = 0, end = 0;  // bytes in the file
  };

  // INVALID_ARGUMENT says what is wrong in the file and where, RESOURCE_EXHAUSTED which limit it
  // breaks. The data are not read yet.
  static absl::StatusOr<Safetensors> Open(FileSystem& files, absl::string_view path,
                                          const SafetensorsLimits& limits = {});
  // The same of an open file; `path` is for errors.
  static absl::StatusOr<Safetensors> Read(std::unique_ptr<ReadableFile> file,
                                          absl::string_view path,
                                          const SafetensorsLimits& limits = {});

  // By name.
  const std::map<std::string, Entry>& entries() const { return entries_; }
  const std::map<std::string, std::string>& metadata() const { return metadata_; }
  const std::string& path() const { return path_; }

  // INVALID_ARGUMENT if there is no such tensor or its dtype or shape is another.
  // REQUIRES: `out` has as many elements as `shape`.
  absl::Status ReadF32(const std::string& name, absl::Span<const int64_t> shape,
                       absl::Span<float> out) const;
  absl::Status ReadI64(const std::string& name, absl::Span<const int64_t> shape,
                       absl::Span<int64_t> out) const;
  // Of any dtype. REQUIRES: `out` has as many bytes as the tensor.
  absl::Status ReadBytes(const std::string& name, absl::string_view dtype,
                         absl::Span<const int64_t> shape, absl::Span<char> out) const;

 private:
  std::string path_;
  std::unique_ptr<ReadableFile> file_;
  std::map<std::string, Entry> entries_;
  std::map<std::string, std::string> metadata_;
};

// One tensor to write; `bytes` is not owned.
struct SafetensorsTensor {
  std::string name;
  std::string dtype;  // as in Entry
  std::vector<int64_t> shape;
  absl::string_view bytes;
};

// Replaces the file at once: a reader sees the old one or the new one.
absl::Status WriteSafetensors(FileSystem& files, absl::string_view path,
                              absl::Span<const SafetensorsTensor> tensors,
                              const std::map<std::string, std::string>& metadata);

}  // namespace mantissa::data

#endif  // MANTISSA_SERVER_DATA_SAFETENSORS_H_
