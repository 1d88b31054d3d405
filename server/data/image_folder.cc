#include "server/data/image_folder.h"

#include <algorithm>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "base/file.h"
#include "base/status.h"
#include "server/data/encoded_images.h"
#include "server/data/image.h"
#include "server/data/names.h"

namespace mantissa::data {
namespace {

enum class Split { kNone, kTrain, kTest, kValidation };

struct Image {
  const NamedBytes* member;
  std::vector<std::string> folders;  // outermost first
  Split split = Split::kNone;

  std::string shown() const { return Printable(member->name); }
};

Split SplitOf(absl::string_view folder) {
  if (absl::EqualsIgnoreCase(folder, "train")) return Split::kTrain;
  if (absl::EqualsIgnoreCase(folder, "test")) return Split::kTest;
  for (absl::string_view name : {"val", "valid", "validation"}) {
    if (absl::EqualsIgnoreCase(folder, name)) return Split::kValidation;
  }
  return Split::kNone;
}

// What desktops leave behind.
bool IsLitter(absl::string_view name) {
  return absl::StartsWith(name, ".") || name == "Thumbs.db" || name == "desktop.ini";
}

absl::StatusOr<std::vector<Image>> Collect(absl::Span<const NamedBytes> members) {
  std::vector<Image> images;
  for (const NamedBytes& member : members) {
    std::string base = BaseName(member.name);
    if (IsLitter(base)) continue;
    if (!IsImageName(base)) {
      return absl::InvalidArgumentError(
          absl::StrCat(Printable(member.name),
                       ": unknown file among images; allowed are .jpg, .jpeg and .png. Leave it "
                       "out."));
    }
    Image image{.member = &member};
    image.folders = absl::StrSplit(member.name, '/');
    image.folders.pop_back();
    images.push_back(std::move(image));
  }
  return images;
}

// Takes off folders that are around everything, as long as one is left for the class.
void LookThrough(std::vector<Image>& images) {
  while (!images.empty()) {
    const std::vector<std::string>& first = images[0].folders;
    bool around_all = std::all_of(images.begin(), images.end(), [&first](const Image& image) {
      return image.folders.size() >= 2 && image.folders[0] == first[0];
    });
    if (!around_all) return;
    for (Image& image : images) image.folders.erase(image.folders.begin());
  }
}

// A folder around everything is no split, even if it is called one.
void FindSplits(std::vector<Image>& images) {
  bool all = std::all_of(images.begin(), images.end(), [](const Image& image) {
    return image.folders.size() >= 2 && SplitOf(image.folders[0]) != Split::kNone;
  });
  if (!all) return;
  bool has_test = false;
  for (Image& image : images) {
    image.split = SplitOf(image.folders[0]);
    image.folders.erase(image.folders.begin());
    has_test = has_test || image.split == Split::kTest;
  }
  if (has_test) {
    std::erase_if(images, [](const Image& image) { return image.split == Split::kValidation; });
  }
}

absl::StatusOr<std::vector<std::string>> ClassNames(const std::vector<Image>& images) {
  std::set<std::string> names;
  for (const Image& image : images) {
    if (image.folders.size() != 1) {
      return absl::InvalidArgumentError(absl::StrCat(
          image.shown(), ": the image is in ", image.folders.size(),
          " folders below the split; it must be in one, which names its class. Use CLASS/NAME or "
          "train/CLASS/NAME and test/CLASS/NAME throughout."));
    }
    names.insert(image.folders[0]);
  }
  return std::vector<std::string>(names.begin(), names.end());
}

}  // namespace

absl::StatusOr<LoadedDataset> ReadImageFolder(absl::Span<const NamedBytes> members,
                                              ReadContext& context) {
  LoadedDataset dataset{.format = "image-folder"};
  ASSIGN_OR_RETURN(std::vector<Image> images, Collect(members));
  LookThrough(images);
  FindSplits(images);
  ASSIGN_OR_RETURN(dataset.class_names, ClassNames(images));
  std::sort(images.begin(), images.end(), [](const Image& a, const Image& b) {
    return std::tie(a.folders[0], a.member->name) < std::tie(b.folders[0], b.member->name);
  });
  std::map<std::string, int64_t> labels;
  for (const std::string& name : dataset.class_names) labels.emplace(name, labels.size());
  std::vector<LabelledImage> labelled;
  for (const Image& image : images) {
    const bool test = image.split == Split::kTest || image.split == Split::kValidation;
    labelled.push_back({{image.shown(), image.member->bytes, labels[image.folders[0]]}, test});
  }
  RETURN_IF_ERROR(
      AddImages(std::move(labelled), static_cast<int64_t>(labels.size()), context, dataset));
  return dataset;
}

}  // namespace mantissa::data
