// The memory of devices that share the host's.
#include <cstddef>
#include <cstring>
#include <new>

#include "absl/status/status.h"
#include "tests/kernels/packed/device.h"

namespace mantissa::kernels {
namespace {

constexpr std::align_val_t kAlignment{64};

}  // namespace

void* AllocateOnDevice(size_t bytes) { return ::operator new(bytes, kAlignment); }

void FreeOnDevice(void* memory) { ::operator delete(memory, kAlignment); }

absl::Status CopyToDevice(void* to, const void* from, size_t bytes) {
  if (bytes > 0) std::memcpy(to, from, bytes);
  return absl::OkStatus();
}

absl::Status CopyFromDevice(void* to, const void* from, size_t bytes) {
  return CopyToDevice(to, from, bytes);
}

}  // namespace mantissa::kernels
