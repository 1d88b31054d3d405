// The device that a run of round_test is about. Each of device_{cpu,emulated,gpu}.cc defines it,
// and each test target links one of them: one contract, one test, three runs.
#ifndef MANTISSA_TESTS_KERNELS_PACKED_DEVICE_H_
#define MANTISSA_TESTS_KERNELS_PACKED_DEVICE_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "kernels/packed/round.h"

namespace mantissa::kernels {

// Why the device cannot be used on this machine; empty if it can.
std::string WhyNoDevice();

// How much of the long tests to run: 1, or less where the device is slow.
double DeviceEffort();

// Where a call finds its tensors.
struct Placement {
  size_t in_offset = 0;  // floats after a 64-byte boundary
  size_t out_offset = 0;
  bool in_place = false;
};

struct Rounded {
  std::vector<float> values;
  RoundCounts counts;
};

// Calls Round() on the device. Internal if it wrote outside its output.
absl::StatusOr<Rounded> RoundOnDevice(const RoundSpec& spec, const std::vector<float>& in,
                                      const Placement& placement = {});

}  // namespace mantissa::kernels

#endif  // MANTISSA_TESTS_KERNELS_PACKED_DEVICE_H_
