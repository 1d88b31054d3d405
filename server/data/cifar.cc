#include "server/data/cifar.h"

#include <algorithm>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "base/file.h"
#include "base/status.h"
#include "server/data/array_samples.h"
#include "server/data/names.h"

namespace mantissa::data {
namespace {

constexpr int64_t kPixelBytes = 3 * 32 * 32;

struct Variant {
  const char* format;
  int64_t classes;
  int64_t label_bytes;  // the last one counts
  const char* names_file;
};
constexpr Variant kCifar10 = {"cifar10", 10, 1, "batches.meta.txt"};
constexpr Variant kCifar100 = {"cifar100", 100, 2, "fine_label_names.txt"};

SampleTensor Images() { return {"x", ElementType::kUInt8, {3, 32, 32}}; }
SampleTensor Labels(const Variant& variant) {
  return {"y", ElementType::kUInt8, {}, variant.classes};
}

// N of "data_batch_N.bin"; -1 for another name.
int BatchNumber(absl::string_view name) {
  int number = -1;
  if (!absl::ConsumePrefix(&name, "data_batch_") || !absl::ConsumeSuffix(&name, ".bin") ||
      !absl::SimpleAtoi(name, &number)) {
    return -1;
  }
  return number;
}

absl::StatusOr<std::shared_ptr<const SampleSource>> ReadRecords(const NamedBytes& file,
                                                                const Variant& variant,
                                                                const ReadContext& context) {
  const int64_t record = variant.label_bytes + kPixelBytes;
  const int64_t size = static_cast<int64_t>(file.bytes.size());
  if (size % record != 0) {
    return absl::InvalidArgumentError(
        absl::StrCat(file.name, ": ", size, " bytes are no multiple of ", record,
                     ", the size of a record; the file is truncated or none of ", variant.format,
                     ". Download it again."));
  }
  const int64_t count = size / record;
  for (int64_t i = 0; i < count; ++i) {
    const int64_t label = static_cast<uint8_t>(file.bytes[i * record + variant.label_bytes - 1]);
    if (label < variant.classes) continue;
    return absl::InvalidArgumentError(absl::StrCat(
        file.name, ": record ", i, " (from 0) has the label ", label, "; allowed 0 to ",
        variant.classes - 1, ". The file is damaged or none of ", variant.format, "."));
  }
  const auto column = [&](const SampleTensor& tensor, int64_t offset) {
    return Column{tensor, file.bytes.substr(std::min(offset, size)), record, count, context.owner};
  };
  return MakeArraySamples({column(Images(), variant.label_bytes)},
                          column(Labels(variant), variant.label_bytes - 1));
}

absl::StatusOr<std::vector<std::string>> ReadNames(const NamedBytes& file, int64_t classes) {
  std::vector<std::string> names;
  for (absl::string_view line : absl::StrSplit(file.bytes, '\n')) {
    line = absl::StripAsciiWhitespace(line);
    if (!line.empty()) names.push_back(Printable(line));
    if (static_cast<int64_t>(names.size()) > classes) break;
  }
  if (static_cast<int64_t>(names.size()) != classes) {
    return absl::InvalidArgumentError(
        absl::StrCat(file.name, ": has not ", classes,
                     " lines with a class's name each. Download it again, or leave it out."));
  }
  return names;
}

}  // namespace

bool IsCifarName(absl::string_view name) {
  std::string base = BaseName(name);
  return BatchNumber(base) >= 0 || base == "test_batch.bin" || base == "train.bin" ||
         base == "test.bin" || base == kCifar10.names_file || base == kCifar100.names_file ||
         base == "coarse_label_names.txt";
}

absl::StatusOr<LoadedDataset> ReadCifarDataset(absl::Span<const NamedBytes> files,
                                               const ReadContext& context) {
  std::map<std::string, const NamedBytes*> by_name;
  std::map<int, const NamedBytes*> batches;  // in the order of their numbers
  for (const NamedBytes& file : files) {
    std::string name = BaseName(file.name);
    int number = BatchNumber(name);
    if (!by_name.emplace(name, &file).second ||
        (number >= 0 && !batches.emplace(number, &file).second)) {
      return absl::InvalidArgumentError(
          absl::StrCat(file.name, ": a second file of that name. Leave one of them out."));
    }
  }
  const bool is_10 = !batches.empty(), is_100 = by_name.count("train.bin") != 0;
  if (is_10 == is_100) {
    return absl::InvalidArgumentError(absl::StrCat(
        "the data set has ", is_10 ? "files of both CIFAR-10 and CIFAR-100" : "no training files",
        "; it needs either data_batch_1.bin and so on (CIFAR-10) or train.bin (CIFAR-100)."));
  }
  const Variant& variant = is_10 ? kCifar10 : kCifar100;
  if (is_100) batches[0] = by_name["train.bin"];
  LoadedDataset dataset{.format = variant.format, .inputs = {Images()}, .target = Labels(variant)};
  std::vector<std::shared_ptr<const SampleSource>> parts;
  for (const auto& [number, file] : batches) {
    ASSIGN_OR_RETURN(auto part, ReadRecords(*file, variant, context));
    parts.push_back(std::move(part));
  }
  dataset.train = Join(std::move(parts));
  auto test = by_name.find(is_10 ? "test_batch.bin" : "test.bin");
  if (test != by_name.end()) {
    ASSIGN_OR_RETURN(dataset.test, ReadRecords(*test->second, variant, context));
  }
  auto names = by_name.find(variant.names_file);
  if (names != by_name.end()) {
    ASSIGN_OR_RETURN(dataset.class_names, ReadNames(*names->second, variant.classes));
  }
  return dataset;
}

}  // namespace mantissa::data
