#include "kernels/packed/mask.h"

#include <algorithm>
#include <cstdint>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "kernels/packed/cuda_body.h"
#include "kernels/packed/mask_cpu.h"
#include "kernels/packed/mask_cuda.h"
#include "kernels/packed/pack.h"
#include "kernels/packed/round.h"
#include "kernels/packed/threads.h"

namespace mantissa::kernels {
namespace {

struct CudaBodies {
  MaskPositiveOnCuda* positive = nullptr;
  ApplyMaskOnCuda* apply = nullptr;
};

absl::Status Check(int64_t first, int64_t n) {
  if (first >= 0 && first % 8 == 0 && n >= 0) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("a mask was asked for ", n, " elements from ", first,
                   "; allowed are 0 or more elements, from a multiple of 8 on."));
}

// The integers that an element's bits are.
struct Words {
  explicit Words(Element element)
      : bytes(element == Element::kFloat32 ? 4 : 2),
        infinity(element == Element::kFloat32    ? 0x7F800000u
                 : element == Element::kBFloat16 ? 0x7F80u
                                                 : 0x7C00u) {}
  int bytes;
  uint32_t infinity;
};

// Runs body(first byte, first element, elements) over parts of the mask that are whole bytes.
template <typename Body>
void SpreadBytes(const Device& device, int64_t n, const Body& body) {
  Spread(device, MaskBytes(n), kGrain / 8, [&](int64_t begin, int64_t end) {
    body(begin, begin * 8, std::min(end * 8, n) - begin * 8);
  });
}

}  // namespace

bool RegisterMaskOnCuda(MaskPositiveOnCuda* positive, ApplyMaskOnCuda* apply) {
  Registered<CudaBodies>() = {positive, apply};
  return true;
}

absl::Status MaskPositive(const Device& device, Element element, const void* wide, int64_t first,
                          int64_t n, uint8_t* mask) {
  if (absl::Status status = Check(first, n); !status.ok()) return status;
  if (n == 0) return absl::OkStatus();
  const Words words(element);
  mask += first / 8;
  if (device.is_cuda()) {
    return RunOnCuda("making a mask", Registered<CudaBodies>().positive, words.bytes,
                     words.infinity, wide, n, mask, device.stream());
  }
  SpreadBytes(device, n, [&](int64_t byte, int64_t i, int64_t count) {
    MaskPositiveOnCpu(words.bytes, words.infinity,
                      static_cast<const uint8_t*>(wide) + i * words.bytes, count, mask + byte);
  });
  return absl::OkStatus();
}

absl::Status ApplyMask(const Device& device, Element element, const uint8_t* mask, int64_t first,
                       int64_t n, void* wide) {
  if (absl::Status status = Check(first, n); !status.ok()) return status;
  if (n == 0) return absl::OkStatus();
  const Words words(element);
  mask += first / 8;
  if (device.is_cuda()) {
    return RunOnCuda("applying a mask", Registered<CudaBodies>().apply, words.bytes, mask, n, wide,
                     device.stream());
  }
  SpreadBytes(device, n, [&](int64_t byte, int64_t i, int64_t count) {
    ApplyMaskOnCpu(words.bytes, mask + byte, count, static_cast<uint8_t*>(wide) + i * words.bytes);
  });
  return absl::OkStatus();
}

}  // namespace mantissa::kernels
