// server/data/npz.h
//
// NumPy's .npz files: named arrays in a zip archive.
//
//   ASSIGN_OR_RETURN(auto arrays, ReadNpz("/data/digits.npz", {}));
//   arrays.at("x").shape  // {1797, 8, 8}
//
// Stored and deflated files, as numpy.savez and savez_compressed write them.

#ifndef MANTISSA_SERVER_DATA_NPZ_H_
#define MANTISSA_SERVER_DATA_NPZ_H_

#include <cstdint>
#include <map>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "server/data/npy.h"

namespace mantissa::data {

struct NpzLimits {
  // Most bytes that all arrays together may take.
  int64_t max_bytes = int64_t{8} << 30;
};

// All arrays by name, the names without ".npy". NotFound if there is no such file, InvalidArgument
// naming what is wrong in it, ResourceExhausted above the limit.
absl::StatusOr<std::map<std::string, NpyArray>> ReadNpz(const std::string& path,
                                                        const NpzLimits& limits);

// The same from bytes; `name` is for errors.
absl::StatusOr<std::map<std::string, NpyArray>> ParseNpz(absl::string_view name,
                                                         absl::string_view bytes,
                                                         const NpzLimits& limits);

}  // namespace mantissa::data

#endif  // MANTISSA_SERVER_DATA_NPZ_H_
