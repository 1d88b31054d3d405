#include "server/data/named_arrays.h"

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "base/file.h"
#include "base/status.h"
#include "server/data/array_columns.h"
#include "server/data/array_names.h"
#include "server/data/names.h"
#include "server/data/npy.h"
#include "server/data/zip.h"

namespace mantissa::data {
namespace {

// How each array is read, by its name in lower case.
using ArrayReaders = std::map<std::string, std::function<absl::StatusOr<NpyArray>()>>;

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

}  // namespace mantissa::data
