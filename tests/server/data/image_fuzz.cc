#include <cstddef>
#include <cstdint>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "server/data/image.h"
#include "server/data/source.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  absl::string_view bytes(reinterpret_cast<const char*>(data), size);
  const mantissa::data::NamedBytes file{"fuzz.png", bytes};
  auto info = mantissa::data::ReadImageInfo(file);
  // As a reader with a budget of 16 MiB.
  if (!info.ok() || info->width * info->height * 3 > (16 << 20)) return 0;
  std::vector<uint8_t> pixels(info->width * info->height * 3);
  (void)mantissa::data::DecodeImage(file, *info, {3, info->height, info->width},
                                    absl::MakeSpan(pixels));
  std::vector<uint8_t> small(3 * 8 * 5);
  (void)mantissa::data::DecodeImage(file, *info, {3, 8, 5}, absl::MakeSpan(small));
  return 0;
}
