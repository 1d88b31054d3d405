#include "server/data/dataset.h"

#include <algorithm>
#include <deque>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "base/file.h"
#include "base/status.h"
#include "server/data/cifar.h"
#include "server/data/finish.h"
#include "server/data/idx.h"
#include "server/data/image.h"
#include "server/data/image_folder.h"
#include "server/data/inflate.h"
#include "server/data/names.h"
#include "server/data/npz_dataset.h"
#include "server/data/source.h"
#include "server/data/tar.h"
#include "server/data/zip.h"

namespace mantissa::data {
namespace {

constexpr absl::string_view kKnown =
    "Known are CIFAR-10/100 in its binary version, IDX files as MNIST has them, one .npz, and one "
    ".tar of images in a folder a class";

enum class Kind { kNpz, kIdx, kCifar, kImage, kTar, kReadme, kUnknown };

// By content where that is certain, else by name.
Kind KindOf(const NamedBytes& file) {
  const std::string base = BaseName(file.name);
  if (IsZip(file.bytes) || absl::EndsWithIgnoreCase(base, ".npz")) return Kind::kNpz;
  // Pixels may look like anything: CIFAR's names come before IDX's four bytes.
  if (IsCifarName(base)) return Kind::kCifar;
  if (IsTar(file.bytes) || absl::EndsWithIgnoreCase(base, ".tar")) return Kind::kTar;
  if (IsIdx(file.bytes) || absl::StrContains(base, "-ubyte")) return Kind::kIdx;
  if (IsImageName(base)) return Kind::kImage;
  if (absl::StartsWithIgnoreCase(base, "readme") || absl::StartsWithIgnoreCase(base, "license") ||
      absl::StartsWith(base, ".")) {
    return Kind::kReadme;
  }
  return Kind::kUnknown;
}

std::string WithoutGzipSuffix(absl::string_view name) {
  if (absl::ConsumeSuffix(&name, ".tgz")) return absl::StrCat(name, ".tar");
  return std::string(absl::StripSuffix(name, ".gz"));
}

// Holds the bytes of files, read and decompressed.
class Loader {
 public:
  explicit Loader(const LoadOptions& options)
      : options_(options), budget_(options.max_decoded_bytes) {}

  absl::StatusOr<LoadedDataset> Load(absl::Span<const SourceFile> sources) {
    std::vector<NamedBytes> files;
    for (const SourceFile& source : sources) {
      ASSIGN_OR_RETURN(NamedBytes file, Open(source));
      files.push_back(std::move(file));
    }
    const std::string name = files.size() == 1 ? files[0].name : "";
    ASSIGN_OR_RETURN(LoadedDataset dataset, Read(std::move(files), /*in_tar=*/false));
    owned_.clear();
    absl::Status finished = FinishDataset(options_, dataset);
    if (!finished.ok() && !name.empty() && FieldViolationsOf(finished).empty()) {
      return Annotate(finished, name);
    }
    RETURN_IF_ERROR(finished);
    return dataset;
  }

 private:
  absl::StatusOr<NamedBytes> Open(const SourceFile& source) {
    NamedBytes file{.name = Printable(source.name)};
    ASSIGN_OR_RETURN(std::string bytes,
                     RealFileSystem().Read(source.path, options_.max_decoded_bytes));
    if (IsGzip(bytes)) {
      ASSIGN_OR_RETURN(bytes, Gunzip(file.name, bytes, options_.max_decoded_bytes));
      file.name = WithoutGzipSuffix(file.name);
    }
    owned_.push_back(std::move(bytes));
    file.bytes = owned_.back();
    return file;
  }

  absl::StatusOr<LoadedDataset> Read(std::vector<NamedBytes> files, bool in_tar) {
    std::erase_if(files, [](const NamedBytes& file) { return KindOf(file) == Kind::kReadme; });
    if (files.empty()) {
      return absl::InvalidArgumentError(
          absl::StrCat("the data set is empty: it has no files. ", kKnown, "."));
    }
    const Kind kind = KindOf(files[0]);
    for (const NamedBytes& file : files) {
      if (KindOf(file) == Kind::kUnknown) {
        return absl::InvalidArgumentError(absl::StrCat(Printable(file.name), ": not understood. ",
                                                       kKnown, "; leave others out."));
      }
      if (KindOf(file) != kind) {
        return absl::InvalidArgumentError(
            absl::StrCat(Printable(file.name), ": of another kind than ", Printable(files[0].name),
                         ". A data set has files of one kind; push them one by one."));
      }
    }
    const bool single = kind == Kind::kNpz || kind == Kind::kTar;
    if (single && files.size() > 1) {
      return absl::InvalidArgumentError(
          absl::StrCat(Printable(files[1].name), ": a second archive beside ",
                       Printable(files[0].name), ". A data set has one; push them one by one."));
    }
    switch (kind) {
      case Kind::kNpz:
        return ReadNpzDataset(files[0], budget_);
      case Kind::kIdx:
        return ReadIdxDataset(files, budget_);
      case Kind::kCifar:
        return ReadCifarDataset(files, budget_);
      case Kind::kTar:
        return ReadArchive(files[0], in_tar);
      default:
        return absl::InvalidArgumentError(absl::StrCat(
            Printable(files[0].name), ": images must come in one .tar, in a folder a class."));
    }
  }

  // A folder of images, or any other data set packed for transport.
  absl::StatusOr<LoadedDataset> ReadArchive(const NamedBytes& file, bool in_tar) {
    if (in_tar) {
      return absl::InvalidArgumentError(
          absl::StrCat(Printable(file.name), ": an archive within an archive. Unpack it."));
    }
    ASSIGN_OR_RETURN(std::vector<NamedBytes> members, ReadTar(file));
    if (std::any_of(members.begin(), members.end(),
                    [](const NamedBytes& member) { return IsImageName(member.name); })) {
      return ReadImageFolder(members, budget_);
    }
    return Read(std::move(members), /*in_tar=*/true);
  }

  const LoadOptions& options_;
  Budget budget_;
  std::deque<std::string> owned_;
};

}  // namespace

absl::StatusOr<LoadedDataset> LoadDataset(absl::Span<const SourceFile> files,
                                          const LoadOptions& options) {
  return Loader(options).Load(files);
}

}  // namespace mantissa::data
