#include "server/engine/operator_seed.h"

#include <mutex>

#include "ATen/Context.h"

namespace mantissa::engine {

void SeedOperators(c10::Device device, uint64_t seed) {
  at::Generator generator = at::globalContext().defaultGenerator(device);
  const std::lock_guard<std::mutex> lock(generator.mutex());
  generator.set_current_seed(seed);
}

}  // namespace mantissa::engine
