// tests/server/models/archive_builder.h
//
// Archives for tests: a zip writer that can lie, and a small model to lie about.
//
//   ModelFiles files;                                  // a linear layer and relu_, as torch writes
//   it Replace(files.program, "\"as_int\": 4", "\"as_int\": -4"); ReadPt2Bytes("m.pt2",
//   MakeArchive(files), {});

#ifndef MANTISSA_TESTS_SERVER_MODELS_ARCHIVE_BUILDER_H_
#define MANTISSA_TESTS_SERVER_MODELS_ARCHIVE_BUILDER_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace mantissa::models {

struct ZipItem {
  std::string name;
  std::string content;
  bool deflated = false;
  // Unix type and permissions, in the central directory: 0120777 is a link.
  uint32_t mode = 0100644;
  // Told instead of the truth.
  std::optional<uint32_t> claimed_size;
  std::optional<uint32_t> claimed_crc;
  // The local header and data are those of the item before.
  bool shares_data = false;
  uint16_t flags = 0;
  // 64-bit sizes in an extra field.
  bool zip64 = false;
};

std::string MakeZip(const std::vector<ZipItem>& items);

// A model of one linear layer, fc, from 4 to 3 features, and a relu in place.
struct ModelFiles {
  ModelFiles();

  std::string program, weights_config, constants_config;
  // Of fc.weight and fc.bias: 0, 1, 2... and 0, -1, -2.
  std::string weight, bias;
};

std::vector<ZipItem> ItemsOf(const ModelFiles& files);
std::string MakeArchive(const ModelFiles& files);

// Replaces the first `from`. REQUIRES: it is there.
void Replace(std::string& text, absl::string_view from, absl::string_view to);

}  // namespace mantissa::models

#endif  // MANTISSA_TESTS_SERVER_MODELS_ARCHIVE_BUILDER_H_
