#include <cstddef>
#include <cstdint>

#include "absl/strings/string_view.h"
#include "server/data/source.h"
#include "server/data/tar.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  absl::string_view bytes(reinterpret_cast<const char*>(data), size);
  auto members = mantissa::data::ReadTar({"fuzz.tar", bytes});
  if (!members.ok()) return 0;
  // Members point into the archive: touch all of them.
  volatile unsigned sum = 0;
  for (const mantissa::data::NamedBytes& member : *members) {
    for (char c : member.bytes) sum = sum + static_cast<unsigned char>(c);
  }
  return 0;
}
