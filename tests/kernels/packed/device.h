// The device that a run of the contract tests is about. Each of device_{cpu,emulated,gpu}.cc
// defines it, and each test target links one of them: one contract, one test, three runs.
#ifndef MANTISSA_TESTS_KERNELS_PACKED_DEVICE_H_
#define MANTISSA_TESTS_KERNELS_PACKED_DEVICE_H_

#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "kernels/packed/round.h"

namespace mantissa::kernels {

// Why the device cannot be used on this machine; empty if it can.
std::string WhyNoDevice();

// How much of the long tests to run: 1, or less where the device is slow.
double DeviceEffort();

// For the next call. `seed` is of the order of threads, where the device has one.
Device DeviceUnderTest(uint64_t seed);

// The device's memory, aligned to 64 bytes; null if there is none left.
void* AllocateOnDevice(size_t bytes);
void FreeOnDevice(void* memory);
// Reading waits for the work on the device.
absl::Status CopyToDevice(void* to, const void* from, size_t bytes);
absl::Status CopyFromDevice(void* to, const void* from, size_t bytes);

}  // namespace mantissa::kernels

#endif  // MANTISSA_TESTS_KERNELS_PACKED_DEVICE_H_
