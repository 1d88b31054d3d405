// The CUDA body under emulation, a fibre a CUDA thread. Under ThreadSanitizer: an OS thread each.
#include <string>
#include <vector>

#include "kernels/emulation/emulator.h"
#include "kernels/packed/round.cu"
#include "tests/kernels/packed/device.h"
#include "tests/kernels/packed/host_memory.h"

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

absl::StatusOr<Rounded> RoundOnDevice(const RoundSpec& spec, const std::vector<float>& in,
                                      const Placement& placement) {
  emulation::SetBackend({.kind = kBackend, .seed = in.size()});
  return RoundInHostMemory(Device::Cuda(nullptr), spec, in, placement);
}

}  // namespace mantissa::kernels
