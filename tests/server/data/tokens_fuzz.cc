#include <cstddef>
#include <cstdint>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "base/status.h"
#include "server/data/source.h"
#include "server/data/tokens.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace mantissa::data;
  absl::string_view bytes(reinterpret_cast<const char*>(data), size);
  for (const char* name : {"train.bin", "train.npy"}) {
    for (int64_t stride : {0, 1}) {
      const LoadOptions options{.sequence_length = 4, .sequence_stride = stride, .token_bytes = 2};
      ReadContext context{options};
      auto dataset = ReadTokenDataset({{name, bytes}}, context);
      if (!dataset.ok()) continue;
      // What is accepted must be there to the last token.
      std::vector<char> out(dataset->target.bytes());
      for (int64_t i = 0; i < dataset->train->size(); ++i) {
        MANTISSA_CHECK_OK(dataset->train->ReadTarget(i, absl::MakeSpan(out)));
      }
    }
  }
  return 0;
}
