#include <cstddef>
#include <cstdint>
#include <vector>

#include "absl/strings/string_view.h"
#include "server/data/source.h"
#include "server/data/tar.h"
#include "server/data/webdataset.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace mantissa::data;
  absl::string_view bytes(reinterpret_cast<const char*>(data), size);
  auto members = ReadTar({"fuzz.tar", bytes});
  if (!members.ok()) return 0;
  const LoadOptions options{.image_height = 4, .image_width = 4};
  ReadContext context{options};
  (void)IsWebDataset({{"fuzz.tar", *members}});
  (void)ReadWebDataset({{"fuzz.tar", *members}}, context);
  return 0;
}
