#include <cstddef>
#include <cstdint>

#include "absl/strings/string_view.h"
#include "server/data/cifar.h"
#include "server/data/source.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  absl::string_view bytes(reinterpret_cast<const char*>(data), size);
  const mantissa::data::LoadOptions options{.max_decoded_bytes = 16 << 20};
  mantissa::data::ReadContext context{options};
  (void)mantissa::data::ReadCifarDataset({{"data_batch_1.bin", bytes}, {"batches.meta.txt", bytes}},
                                         context);
  (void)mantissa::data::ReadCifarDataset({{"train.bin", bytes}, {"test.bin", bytes}}, context);
  return 0;
}
