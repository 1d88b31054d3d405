// Whatever the bytes are, a file is opened or refused; what it then says to hold can be read.

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/file.h"
#include "base/status.h"
#include "base/temp_folder.h"
#include "server/data/named_arrays.h"
#include "server/data/safetensors.h"
#include "server/data/source.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size) {
  using namespace mantissa;
  static const auto* const folder = new TempFolder;
  const std::string path = JoinPath(folder->path(), "a.safetensors");
  auto out = RealFileSystem().OpenForAppend(path, /*truncate=*/true);
  MANTISSA_CHECK_OK(out);
  MANTISSA_CHECK_OK((*out)->Append({reinterpret_cast<const char*>(bytes), size}));
  const data::LoadOptions options{.max_decoded_bytes = 16 << 20};
  data::ReadContext context{options};
  (void)data::ReadSafetensorsDataset(
      {"fuzz.safetensors", {reinterpret_cast<const char*>(bytes), size}}, context);
  const auto file = data::Safetensors::Open(RealFileSystem(), path);
  if (!file.ok()) return 0;
  for (const auto& [name, entry] : file->entries()) {
    MANTISSA_CHECK(entry.begin <= entry.end && entry.end <= static_cast<int64_t>(size));
    if (entry.dtype != "F32") continue;
    std::vector<float> values((entry.end - entry.begin) / sizeof(float));
    MANTISSA_CHECK_OK(file->ReadF32(name, entry.shape, absl::MakeSpan(values)));
  }
  return 0;
}
