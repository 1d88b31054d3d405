#include <cstddef>
#include <cstdint>

#include "absl/strings/string_view.h"
#include "server/data/idx.h"
#include "server/data/source.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  absl::string_view bytes(reinterpret_cast<const char*>(data), size);
  (void)mantissa::data::ParseIdx({"fuzz", bytes});
  const mantissa::data::LoadOptions options{.max_decoded_bytes = 16 << 20};
  mantissa::data::ReadContext context{options};
  (void)mantissa::data::ReadIdxDataset({{"images", bytes}, {"labels", bytes}}, context);
  return 0;
}
