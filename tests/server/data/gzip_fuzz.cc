#include <cstddef>
#include <cstdint>

#include "absl/strings/string_view.h"
#include "server/data/inflate.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  absl::string_view bytes(reinterpret_cast<const char*>(data), size);
  (void)mantissa::data::Gunzip("fuzz.gz", bytes, 1 << 20);
  (void)mantissa::data::InflateExactly("fuzz", bytes, static_cast<int64_t>(size) * 3);
  return 0;
}
