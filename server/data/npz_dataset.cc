#include "server/data/npz_dataset.h"

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/strip.h"
#include "base/status.h"
#include "server/data/array_samples.h"
#include "server/data/names.h"
#include "server/data/npy.h"
#include "server/data/zip.h"

namespace mantissa::data {
namespace {

struct NamesOfArrays {
  const char* images;
  const char* labels;
  // nullptr: no split of their own.
  const char* test_images;
  const char* test_labels;
};

constexpr NamesOfArrays kKnownNames[] = {
    {"x_train", "y_train", "x_test", "y_test"},
    {"train_x", "train_y", "test_x", "test_y"},
    {"train_images", "train_labels", "test_images", "test_labels"},
    {"images", "labels", nullptr, nullptr},
    {"x", "y", nullptr, nullptr},
    {"data", "target", nullptr, nullptr},
};

class Reader {
 public:
  Reader(const NamedBytes& file, const ZipArchive& zip, Budget& budget)
      : file_(file), zip_(zip), budget_(budget) {
    for (const ZipEntry& entry : zip.entries()) {
      std::string name = absl::AsciiStrToLower(absl::StripSuffix(entry.name, ".npy"));
      entries_.emplace(name, &entry);
    }
  }

  absl::StatusOr<LoadedDataset> Read() {
    for (const NamesOfArrays& names : kKnownNames) {
      if (!Has(names.images) && !Has(names.labels)) continue;
      LoadedDataset dataset{.format = "npz"};
      RETURN_IF_ERROR(Add(names.images, names.labels, dataset, dataset.train));
      if (names.test_images != nullptr && (Has(names.test_images) || Has(names.test_labels))) {
        RETURN_IF_ERROR(Add(names.test_images, names.test_labels, dataset, dataset.test));
      }
      return dataset;
    }
    std::vector<std::string> found;
    for (const auto& [name, entry] : entries_) {
      found.push_back(Printable(name));
      if (found.size() == 16) break;
    }
    return absl::InvalidArgumentError(absl::StrCat(
        file_.name, ": no array of images: it holds [", absl::StrJoin(found, ", "),
        "]. Name the arrays images and labels, or x_train, y_train, x_test and y_test."));
  }

 private:
  bool Has(const std::string& name) const { return entries_.count(name) != 0; }

  absl::StatusOr<NpyArray> Array(const std::string& name, const std::string& partner) {
    auto found = entries_.find(name);
    if (found == entries_.end()) {
      return absl::InvalidArgumentError(absl::StrCat(file_.name, ": it has an array ", partner,
                                                     " but none named ", name,
                                                     ". Images and labels come in pairs: add it."));
    }
    ASSIGN_OR_RETURN(std::string bytes, zip_.Extract(*found->second, budget_.left()));
    return ParseNpy(absl::StrCat(file_.name, ": ", name), bytes);
  }

  absl::Status Add(const std::string& images_name, const std::string& labels_name,
                   LoadedDataset& dataset, Samples& samples) {
    ASSIGN_OR_RETURN(NpyArray labels, Array(labels_name, images_name));
    ASSIGN_OR_RETURN(NpyArray images, Array(images_name, labels_name));
    return AddSamples(images, labels, budget_, dataset, samples);
  }

  const NamedBytes& file_;
  const ZipArchive& zip_;
  Budget& budget_;
  std::map<std::string, const ZipEntry*> entries_;  // by lower-case name without ".npy"
};

}  // namespace

absl::StatusOr<LoadedDataset> ReadNpzDataset(const NamedBytes& file, Budget& budget) {
  ASSIGN_OR_RETURN(ZipArchive zip, ZipArchive::Open(file.name, file.bytes));
  return Reader(file, zip, budget).Read();
}

}  // namespace mantissa::data
