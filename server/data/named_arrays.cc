#include "server/data/named_arrays.h"

#include <algorithm>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "base/file.h"
#include "base/status.h"
#include "server/data/array_columns.h"
#include "server/data/array_names.h"
#include "server/data/names.h"
#include "server/data/npy.h"
#include "server/data/safetensors.h"
#include "server/data/zip.h"

namespace mantissa::data {
namespace {

// How each array is read, by its name in lower case.
using ArrayReaders = std::map<std::string, std::function<absl::StatusOr<NpyArray>()>>;

// Most bytes of a .safetensors file's header: a data set has few tensors.
constexpr int64_t kMaxHeaderBytes = int64_t{1} << 20;

class BytesAsFile : public ReadableFile {
 public:
  explicit BytesAsFile(absl::string_view bytes) : bytes_(bytes) {}

  int64_t size() const override { return static_cast<int64_t>(bytes_.size()); }
  absl::Status ReadAt(int64_t offset, absl::Span<char> out) const override {
    if (offset > size() || static_cast<int64_t>(out.size()) > size() - offset) {
      return absl::OutOfRangeError("the file ends before");
    }
    std::copy_n(bytes_.begin() + offset, out.size(), out.begin());
    return absl::OkStatus();
  }

 private:
  const absl::string_view bytes_;
};

// "F32" to NumPy's kind; the bytes of an element are told by the size.
absl::StatusOr<NpyArray> ReadTensor(const Safetensors& file, const std::string& key,
                                    const Safetensors::Entry& entry, int64_t limit) {
  NpyArray array{.shape = entry.shape, .name = absl::StrCat(file.path(), ": ", Printable(key))};
  const std::string& type = entry.dtype;
  const bool known = type == "BOOL" || type == "F16" || type == "F32" || type == "F64" ||
                     ((type[0] == 'U' || type[0] == 'I') && type.size() <= 3);
  if (!known) {
    return absl::InvalidArgumentError(absl::StrCat(
        array.name, ": its elements are of type ", type,
        "; allowed are BOOL, integers, F16, F32 and F64. Convert it with to(torch.float32)."));
  }
  array.kind = absl::ascii_tolower(type[0]);
  array.item_size = type == "BOOL" ? 1 : 0;
  if (array.item_size == 0) {
    MANTISSA_CHECK(absl::SimpleAtoi(type.substr(1), &array.item_size));
    array.item_size /= 8;
  }
  if (entry.end - entry.begin > limit) {
    return absl::ResourceExhaustedError(
        absl::StrCat(array.name, ": ", entry.end - entry.begin, " bytes; ", limit,
                     " are left of the limit. Push the data in smaller pieces."));
  }
  array.bytes.resize(entry.end - entry.begin);
  RETURN_IF_ERROR(file.ReadBytes(key, type, entry.shape,
                                 absl::MakeSpan(array.bytes.data(), array.bytes.size())));
  return array;
}

std::string KeyOf(absl::string_view name) {
  return absl::AsciiStrToLower(absl::StripSuffix(name, ".npy"));
}

absl::StatusOr<std::shared_ptr<const SampleSource>> AddSplit(const ArrayRoles::Split& split,
                                                             const ArrayReaders& arrays,
                                                             ReadContext& context,
                                                             LoadedDataset& dataset) {
  const auto read = [&](const std::string& name) -> absl::StatusOr<NamedArray> {
    ASSIGN_OR_RETURN(NpyArray array, arrays.at(name)());
    return NamedArray{Printable(name), std::move(array)};
  };
  ASSIGN_OR_RETURN(NamedArray target, read(split.target));
  std::vector<NamedArray> inputs;
  for (const std::string& name : split.inputs) {
    ASSIGN_OR_RETURN(NamedArray input, read(name));
    inputs.push_back(std::move(input));
  }
  return AddArrays(std::move(inputs), std::move(target), context, dataset);
}

absl::StatusOr<LoadedDataset> ReadArrays(absl::string_view format, absl::string_view file,
                                         const ArrayReaders& arrays, ReadContext& context) {
  std::set<std::string> names;
  for (const auto& [name, read] : arrays) names.insert(name);
  ASSIGN_OR_RETURN(const ArrayRoles roles, FindRoles(file, names, context.options));
  LoadedDataset dataset{.format = std::string(format)};
  ASSIGN_OR_RETURN(dataset.train, AddSplit(roles.train, arrays, context, dataset));
  if (!roles.test.inputs.empty()) {
    ASSIGN_OR_RETURN(dataset.test, AddSplit(roles.test, arrays, context, dataset));
  }
  return dataset;
}

}  // namespace

absl::StatusOr<LoadedDataset> ReadNpzDataset(const NamedBytes& file, ReadContext& context) {
  ASSIGN_OR_RETURN(const ZipArchive zip, ZipArchive::Open(file.name, file.bytes));
  ArrayReaders arrays;
  for (const ZipEntry& entry : zip.entries()) {
    arrays.emplace(KeyOf(entry.name), [&]() -> absl::StatusOr<NpyArray> {
      std::string unpacked;
      ASSIGN_OR_RETURN(const absl::string_view bytes,
                       zip.View(entry, context.budget.left(), unpacked));
      return ParseNpy(absl::StrCat(file.name, ": ", Printable(KeyOf(entry.name))), bytes);
    });
  }
  return ReadArrays("npz", file.name, arrays, context);
}

absl::StatusOr<LoadedDataset> ReadNpyDataset(absl::Span<const NamedBytes> files,
                                             ReadContext& context) {
  ArrayReaders arrays;
  for (const NamedBytes& file : files) {
    const bool added =
        arrays.emplace(KeyOf(BaseName(file.name)), [&] { return ParseNpy(file.name, file.bytes); })
            .second;
    if (!added) {
      return absl::InvalidArgumentError(
          absl::StrCat(file.name, ": a second file of that name. Leave one of them out."));
    }
  }
  return ReadArrays("npz", files[0].name, arrays, context);
}

absl::StatusOr<LoadedDataset> ReadSafetensorsDataset(const NamedBytes& file, ReadContext& context) {
  ASSIGN_OR_RETURN(const Safetensors tensors,
                   Safetensors::Read(std::make_unique<BytesAsFile>(file.bytes), file.name,
                                     {.header_bytes = kMaxHeaderBytes}));
  ArrayReaders arrays;
  for (const auto& [name, entry] : tensors.entries()) {
    const std::string& key = name;
    const Safetensors::Entry& place = entry;
    arrays.emplace(absl::AsciiStrToLower(name),
                   [&] { return ReadTensor(tensors, key, place, context.budget.left()); });
  }
  return ReadArrays("safetensors", file.name, arrays, context);
}

}  // namespace mantissa::data
