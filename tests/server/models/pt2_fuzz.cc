#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "server/models/pt2.h"
#include "tests/server/models/archive_builder.h"

namespace {

// Small, so that what is refused for its size is refused early.
constexpr mantissa::models::Limits kLimits{.json_bytes = 1 << 20, .weight_bytes = 16 << 20};

void ReadAll(absl::string_view bytes) {
  const absl::StatusOr<mantissa::models::Archive> archive =
      mantissa::models::ReadPt2Bytes("fuzz.pt2", bytes, kLimits);
  if (!archive.ok()) return;
  for (const mantissa::models::StoredTensor& tensor : archive->parameters) {
    std::vector<float> out(static_cast<size_t>(tensor.Elements()));
    (void)archive->Read(tensor, {reinterpret_cast<char*>(out.data()), out.size() * sizeof(float)});
  }
}

}  // namespace

// An archive; or its program alone, as JSON, put into an archive with two small weights; or its
// list of weights.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const absl::string_view bytes(reinterpret_cast<const char*>(data), size);
  if (bytes.empty() || bytes[0] != '{') {
    ReadAll(bytes);
    return 0;
  }
  mantissa::models::ModelFiles files;
  const bool is_config = bytes.substr(0, 9) == "{\"config\"";
  (is_config ? files.weights_config : files.program) = std::string(bytes);
  ReadAll(mantissa::models::MakeArchive(files));
  return 0;
}
