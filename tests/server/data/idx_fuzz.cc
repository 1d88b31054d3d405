#include <cstddef>
#include <cstdint>

#include "absl/strings/string_view.h"
#include "server/data/idx.h"
#include "server/data/source.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  absl::string_view bytes(reinterpret_cast<const char*>(data), size);
  (void)mantissa::data::ParseIdx({"fuzz", bytes});
  mantissa::data::Budget budget(16 << 20);
  (void)mantissa::data::ReadIdxDataset({{"images", bytes}, {"labels", bytes}}, budget);
  return 0;
}
