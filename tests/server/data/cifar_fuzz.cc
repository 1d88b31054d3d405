#include <cstddef>
#include <cstdint>

#include "absl/strings/string_view.h"
#include "server/data/cifar.h"
#include "server/data/source.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  absl::string_view bytes(reinterpret_cast<const char*>(data), size);
  mantissa::data::Budget budget(16 << 20);
  (void)mantissa::data::ReadCifarDataset({{"data_batch_1.bin", bytes}, {"batches.meta.txt", bytes}},
                                         budget);
  (void)mantissa::data::ReadCifarDataset({{"train.bin", bytes}, {"test.bin", bytes}}, budget);
  return 0;
}
