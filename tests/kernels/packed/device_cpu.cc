#include <cstdint>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "tests/kernels/packed/device.h"
#include "tests/kernels/packed/host_memory.h"

namespace mantissa::kernels {

std::string WhyNoDevice() { return ""; }

double DeviceEffort() { return 1; }

absl::StatusOr<Rounded> RoundOnDevice(const RoundSpec& spec, const std::vector<float>& in,
                                      const Placement& placement) {
  // Three threads, of ranges that are multiples of no vector.
  static const ParallelFor* const parallel =
      new ParallelFor([](int64_t n, int64_t, const std::function<void(int64_t, int64_t)>& body) {
        const int64_t first = n / 3 + 1, second = n / 2 + 1;
        std::thread a([&] { body(0, first); });
        std::thread b([&] { body(first, second); });
        body(second, n);
        a.join();
        b.join();
      });
  return RoundInHostMemory(Device::Cpu(parallel), spec, in, placement);
}

}  // namespace mantissa::kernels
