// server/data/npy.h
//
// NumPy's .npy arrays, versions 1.0 to 3.0, from bytes that nobody vouches for.
//
//   ASSIGN_OR_RETURN(NpyArray array, ParseNpy("x.npy", bytes));
//   ASSIGN_OR_RETURN(std::vector<int64_t> labels, array.ToInt64());
//
// Numbers only: pickled objects are never read.

#ifndef MANTISSA_SERVER_DATA_NPY_H_
#define MANTISSA_SERVER_DATA_NPY_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace mantissa::data {

struct NpyArray {
  // b: bool, u: unsigned, i: signed, f: IEEE floating point.
  char kind = 'u';
  // Bytes of an element: 1, 2, 4 or 8; 2 to 8 for f; 1 for b.
  int item_size = 1;
  std::vector<int64_t> shape;  // empty: a single number
  // Elements in row-major order, in the byte order of this machine, whatever the file had.
  std::string bytes;
  // Name of the file, for errors.
  std::string name;

  int64_t elements() const { return static_cast<int64_t>(bytes.size()) / item_size; }
  // NumPy's name, for instance "uint8".
  std::string dtype() const;

  // InvalidArgument unless of kind b, u or i, or where a number does not fit.
  absl::StatusOr<std::vector<int64_t>> ToInt64() const;
  // InvalidArgument unless of kind f; 2 and 8 byte numbers are converted.
  absl::StatusOr<std::vector<float>> ToFloat() const;
};

// `name` is for errors. InvalidArgument says what is wrong in the file. Takes no more memory than
// twice the size of `bytes`.
absl::StatusOr<NpyArray> ParseNpy(absl::string_view name, absl::string_view bytes);

}  // namespace mantissa::data

#endif  // MANTISSA_SERVER_DATA_NPY_H_
