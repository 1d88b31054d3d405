// LibTorch reports by exceptions; they end here.
//
//   return CatchTorch([&]() -> absl::StatusOr<double> {
//     at::Tensor loss = ...;  // may throw
//     return loss.item<double>();
//   });
#ifndef MANTISSA_SERVER_ENGINE_TORCH_ERROR_H_
#define MANTISSA_SERVER_ENGINE_TORCH_ERROR_H_

#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace mantissa::engine {

// The exception being handled as a status: RESOURCE_EXHAUSTED for memory that ran out, else
// INTERNAL. REQUIRES: called in a catch block.
absl::Status StatusOfCurrentException();

// Calls `body`, which returns a Status or StatusOr, and turns what it throws into a status.
template <typename Body>
auto CatchTorch(Body&& body) -> decltype(body()) {
  try {
    return std::forward<Body>(body)();
  } catch (...) {
    return StatusOfCurrentException();
  }
}

}  // namespace mantissa::engine

#endif  // MANTISSA_SERVER_ENGINE_TORCH_ERROR_H_
