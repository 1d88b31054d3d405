// RoundOnDevice() for devices whose memory is the host's.
#ifndef MANTISSA_TESTS_KERNELS_PACKED_HOST_MEMORY_H_
#define MANTISSA_TESTS_KERNELS_PACKED_HOST_MEMORY_H_

#include <vector>

#include "absl/status/statusor.h"
#include "tests/kernels/packed/device.h"

namespace mantissa::kernels {

absl::StatusOr<Rounded> RoundInHostMemory(const Device& device, const RoundSpec& spec,
                                          const std::vector<float>& in, const Placement& placement);

}  // namespace mantissa::kernels

#endif  // MANTISSA_TESTS_KERNELS_PACKED_HOST_MEMORY_H_
