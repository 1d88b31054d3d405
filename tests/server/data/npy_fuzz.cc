#include <cstddef>
#include <cstdint>

#include "absl/strings/string_view.h"
#include "server/data/npy.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  absl::string_view bytes(reinterpret_cast<const char*>(data), size);
  auto array = mantissa::data::ParseNpy("fuzz.npy", bytes);
  if (!array.ok()) return 0;
  // Whatever is accepted must be safe to use.
  (void)array->ToInt64();
  (void)array->ToFloat();
  return 0;
}
