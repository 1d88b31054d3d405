#include "server/engine/torch_error.h"

#include <exception>
#include <new>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "c10/util/Exception.h"

namespace mantissa::engine {
namespace {

// LibTorch's CPU allocator has no exception type of its own.
bool IsOutOfMemory(const c10::Error& error) {
  return dynamic_cast<const c10::OutOfMemoryError*>(&error) != nullptr ||
         absl::StrContains(error.what_without_backtrace(), "can't allocate memory") ||
         absl::StrContains(error.what_without_backtrace(), "not enough memory");
}

}  // namespace

absl::Status StatusOfCurrentException() {
  constexpr absl::string_view kRemedy =
      ". Use a smaller batch, a smaller model or a machine with more memory.";
  try {
    throw;
  } catch (const std::bad_alloc&) {
    return absl::ResourceExhaustedError(absl::StrCat("memory ran out", kRemedy));
  } catch (const c10::Error& error) {
    if (IsOutOfMemory(error)) {
      return absl::ResourceExhaustedError(
          absl::StrCat("memory ran out: ", error.what_without_backtrace(), kRemedy));
    }
    return absl::InternalError(absl::StrCat("LibTorch: ", error.what_without_backtrace()));
  } catch (const std::exception& error) {
    return absl::InternalError(absl::StrCat("LibTorch: ", error.what()));
  } catch (...) {
    return absl::InternalError("LibTorch: an exception of unknown type");
  }
}

}  // namespace mantissa::engine
