#include <cstddef>
#include <cstdint>

#include "absl/strings/string_view.h"
#include "server/data/named_arrays.h"
#include "server/data/npz.h"
#include "server/data/source.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  absl::string_view bytes(reinterpret_cast<const char*>(data), size);
  constexpr int64_t kLimit = 16 << 20;
  (void)mantissa::data::ParseNpz("fuzz.npz", bytes, {.max_bytes = kLimit});
  const mantissa::data::LoadOptions options{.max_decoded_bytes = kLimit};
  mantissa::data::ReadContext context{options};
  (void)mantissa::data::ReadNpzDataset({"fuzz.npz", bytes}, context);
  (void)mantissa::data::ReadNpyDataset({{"x.npy", bytes}, {"y.npy", bytes}}, context);
  return 0;
}
