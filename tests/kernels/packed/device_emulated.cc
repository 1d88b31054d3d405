// The CUDA bodies under emulation, a fibre a CUDA thread. Under ThreadSanitizer: an OS thread each.
#include <cstdint>
#include <string>

#include "kernels/emulation/emulator.h"
#include "tests/kernels/packed/device.h"

namespace mantissa::kernels {

#if defined(__SANITIZE_THREAD__)
constexpr emulation::Backend::Kind kBackend = emulation::Backend::kThreads;
#else
constexpr emulation::Backend::Kind kBackend = emulation::Backend::kFibres;
#endif
#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
constexpr double kEffort = 0.02;
#else
constexpr double kEffort = 0.2;
#endif

std::string WhyNoDevice() { return ""; }

double DeviceEffort() { return kEffort; }

Device DeviceUnderTest(uint64_t seed) {
  emulation::SetBackend({.kind = kBackend, .seed = seed});
  return Device::Cuda(nullptr);
}

}  // namespace mantissa::kernels
