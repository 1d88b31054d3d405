#include <cstdint>
#include <functional>
#include <string>
#include <thread>

#include "tests/kernels/packed/device.h"

namespace mantissa::kernels {

std::string WhyNoDevice() { return ""; }

double DeviceEffort() {
#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
  return 0.05;
#else
  return 1;
#endif
}

Device DeviceUnderTest(uint64_t) {
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
  return Device::Cpu(parallel);
}

}  // namespace mantissa::kernels
