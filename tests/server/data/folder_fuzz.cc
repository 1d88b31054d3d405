#include <cstddef>
#include <cstdint>

#include "absl/strings/string_view.h"
#include "server/data/image_folder.h"
#include "server/data/source.h"
#include "server/data/tar.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  absl::string_view bytes(reinterpret_cast<const char*>(data), size);
  auto members = mantissa::data::ReadTar({"fuzz.tar", bytes});
  if (!members.ok()) return 0;
  const mantissa::data::LoadOptions options{.max_decoded_bytes = 16 << 20};
  mantissa::data::ReadContext context{options};
  (void)mantissa::data::ReadImageFolder(*members, context);
  return 0;
}
