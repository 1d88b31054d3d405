#include "server/data/idx.h"

#include <algorithm>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "base/file.h"
#include "base/status.h"
#include "server/data/array_columns.h"
#include "server/data/bytes.h"

namespace mantissa::data {
namespace {

constexpr int kMaxDimensions = 4;

struct IdxType {
  uint8_t code;
  char kind;
  int size;
};
constexpr IdxType kIdxTypes[] = {{0x08, 'u', 1}, {0x09, 'i', 1}, {0x0b, 'i', 2},
                                 {0x0c, 'i', 4}, {0x0d, 'f', 4}, {0x0e, 'f', 8}};

const IdxType* FindType(uint8_t code) {
  for (const IdxType& type : kIdxTypes) {
    if (type.code == code) return &type;
  }
  return nullptr;
}

// The two files of a split.
struct Pair {
  const NamedBytes* images = nullptr;
  const NamedBytes* labels = nullptr;
};

absl::StatusOr<std::shared_ptr<const SampleSource>> AddPair(const Pair& pair,
                                                            absl::string_view split,
                                                            ReadContext& context,
                                                            LoadedDataset& dataset) {
  if (pair.images == nullptr || pair.labels == nullptr) {
    const NamedBytes* there = pair.images != nullptr ? pair.images : pair.labels;
    return absl::InvalidArgumentError(absl::StrCat(
        there->name, ": the file of ", pair.images == nullptr ? "images" : "labels",
        " that belongs to it is missing; the ", split,
        " samples need both, for instance train-images-idx3-ubyte and train-labels-idx1-ubyte."));
  }
  ASSIGN_OR_RETURN(NpyArray images, ParseIdx(*pair.images));
  ASSIGN_OR_RETURN(NpyArray labels, ParseIdx(*pair.labels));
  std::vector<NamedArray> inputs;
  inputs.push_back({"images", std::move(images)});
  return AddArrays(std::move(inputs), {"labels", std::move(labels)}, context, dataset);
}

}  // namespace

bool IsIdx(absl::string_view bytes) {
  return bytes.size() >= 4 && bytes[0] == 0 && bytes[1] == 0 &&
         FindType(static_cast<uint8_t>(bytes[2])) != nullptr && bytes[3] >= 1 &&
         bytes[3] <= kMaxDimensions;
}

absl::StatusOr<NpyArray> ParseIdx(const NamedBytes& file) {
  if (!IsIdx(file.bytes)) {
    return absl::InvalidArgumentError(
        absl::StrCat(file.name, ": not an IDX file. It must start with 0, 0, the element type and ",
                     "1 to ", kMaxDimensions, " dimensions."));
  }
  const IdxType& type = *FindType(static_cast<uint8_t>(file.bytes[2]));
  NpyArray array{.kind = type.kind, .item_size = type.size, .name = file.name};
  ByteReader reader(file.bytes);
  reader.Skip(4);
  std::optional<int64_t> size = type.size;
  for (int d = 0; d < file.bytes[3]; ++d) {
    uint32_t dimension = 0;
    if (!reader.ReadBe(&dimension)) {
      return absl::InvalidArgumentError(
          absl::StrCat(file.name, ": truncated within its header. Download it again."));
    }
    array.shape.push_back(dimension);
    if (size) size = CheckedProduct(*size, dimension);
  }
  if (!size || *size != static_cast<int64_t>(reader.left())) {
    return absl::InvalidArgumentError(
        absl::StrCat(file.name, ": truncated or damaged: its header tells of ",
                     size ? absl::StrCat(*size) : "more than 2^63", " bytes of data, ",
                     reader.left(), " are there. Download it again."));
  }
  array.bytes = std::string(file.bytes.substr(reader.offset()));
  for (size_t i = 0; type.size > 1 && i < array.bytes.size(); i += type.size) {
    std::reverse(array.bytes.begin() + i, array.bytes.begin() + i + type.size);
  }
  return array;
}

absl::StatusOr<LoadedDataset> ReadIdxDataset(absl::Span<const NamedBytes> files,
                                             ReadContext& context) {
  Pair train, test;
  for (const NamedBytes& file : files) {
    std::string name = absl::AsciiStrToLower(BaseName(file.name));
    bool for_test = absl::StrContains(name, "t10k") || absl::StrContains(name, "test");
    Pair& pair = for_test ? test : train;
    bool is_labels = IsIdx(file.bytes) && file.bytes[3] == 1;
    const NamedBytes*& place = is_labels ? pair.labels : pair.images;
    if (place != nullptr) {
      return absl::InvalidArgumentError(absl::StrCat(
          file.name, ": a second file of ", for_test ? "test " : "training ",
          is_labels ? "labels" : "images", " beside ", place->name,
          ". Files for testing need t10k or test in their names; leave out what is too many."));
    }
    place = &file;
  }
  LoadedDataset dataset{.format = "idx"};
  if (train.images == nullptr && train.labels == nullptr) {
    return absl::InvalidArgumentError(
        absl::StrCat(files.empty() ? "the data set" : files[0].name,
                     ": there are no IDX files for training. Name them train-images-idx3-ubyte and "
                     "train-labels-idx1-ubyte."));
  }
  ASSIGN_OR_RETURN(dataset.train, AddPair(train, "training", context, dataset));
  if (test.images != nullptr || test.labels != nullptr) {
    ASSIGN_OR_RETURN(dataset.test, AddPair(test, "test", context, dataset));
  }
  return dataset;
}

}  // namespace mantissa::data
