// server/data/parallel.h
//
// Work over indices by several threads that stops at the first error.
//
//   RETURN_IF_ERROR(ParallelFor(images.size(), 4, [&](int64_t i) { return Decode(images[i]); }));

#ifndef MANTISSA_SERVER_DATA_PARALLEL_H_
#define MANTISSA_SERVER_DATA_PARALLEL_H_

#include <cstdint>
#include <functional>

#include "absl/status/status.h"

namespace mantissa::data {

// Calls body(0) to body(count - 1) by at most `threads` threads. The error of the smallest index
// that failed, whatever the threads: all before it have been called.
absl::Status ParallelFor(int64_t count, int threads,
                         const std::function<absl::Status(int64_t)>& body);

}  // namespace mantissa::data

#endif  // MANTISSA_SERVER_DATA_PARALLEL_H_
