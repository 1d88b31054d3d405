#include "server/data/dataset.h"

#include <algorithm>
#include <deque>
#include <iterator>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/strip.h"
#include "base/file.h"
#include "base/mapped_file.h"
#include "base/status.h"
#include "server/data/cifar.h"
#include "server/data/finish.h"
#include "server/data/idx.h"
#include "server/data/image.h"
#include "server/data/image_folder.h"
#include "server/data/inflate.h"
#include "server/data/named_arrays.h"
#include "server/data/names.h"
#include "server/data/source.h"
#include "server/data/tar.h"
#include "server/data/tokens.h"
#include "server/data/webdataset.h"
#include "server/data/zip.h"

namespace mantissa::data {
namespace {

constexpr absl::string_view kKnown =
    "Known are one .npz, .npy files, one .safetensors, token files (.bin or .npy) with a sequence "
    "length, CIFAR-10/100 in its binary version, IDX files as MNIST has them, and .tar archives of "
    "images in a folder a class or of WebDataset";

constexpr absl::string_view kFormats[] = {"cifar10", "cifar100",     "idx",        "npz",
                                          "tokens",  "image-folder", "webdataset", "safetensors"};

enum class Kind {
  kNpz,
  kNpy,
  kSafetensors,
  kTokens,
  kIdx,
  kCifar,
  kImage,
  kTar,
  kReadme,
  kUnknown
};

// By content where that is certain, else by name.
Kind KindOf(const NamedBytes& file, const LoadOptions& options) {
  const std::string base = BaseName(file.name);
  const bool npy = absl::EndsWithIgnoreCase(base, ".npy");
  const bool bin = absl::EndsWithIgnoreCase(base, ".bin");
  if (options.format == "tokens") return Kind::kTokens;
  if (options.sequence_length > 0 && (npy || bin)) return Kind::kTokens;
  if (IsZip(file.bytes) || absl::EndsWithIgnoreCase(base, ".npz")) return Kind::kNpz;
  if (absl::EndsWithIgnoreCase(base, ".safetensors")) return Kind::kSafetensors;
  if (npy) return Kind::kNpy;
  // Pixels may look like anything: CIFAR's names come before IDX's four bytes.
  if (IsCifarName(base)) return Kind::kCifar;
  if (IsTar(file.bytes) || absl::EndsWithIgnoreCase(base, ".tar")) return Kind::kTar;
  if (IsIdx(file.bytes) || absl::StrContains(base, "-ubyte")) return Kind::kIdx;
  if (bin) return Kind::kTokens;
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

// The bytes of the files; alive as long as a source reads them.
struct Contents {
  std::deque<MappedFile> mapped;
  std::deque<std::string> unpacked;
};

class Loader {
 public:
  explicit Loader(const LoadOptions& options)
      : options_(options), contents_(std::make_shared<Contents>()), context_{options} {
    context_.owner = contents_;
  }

  absl::StatusOr<LoadedDataset> Load(absl::Span<const SourceFile> sources) {
    RETURN_IF_ERROR(CheckOptions());
    std::vector<NamedBytes> files;
    for (const SourceFile& source : sources) {
      ASSIGN_OR_RETURN(NamedBytes file, Open(source));
      files.push_back(std::move(file));
    }
    const std::string name = files.size() == 1 ? files[0].name : "";
    ASSIGN_OR_RETURN(LoadedDataset dataset, Read(std::move(files), /*in_tar=*/false));
    if (!options_.format.empty() && options_.format != dataset.format) {
      return InvalidField("read.format", options_.format,
                          absl::StrCat(dataset.format, ", which the files are"), "Leave it out.");
    }
    absl::Status finished = FinishDataset(options_, dataset);
    if (!finished.ok() && !name.empty() && FieldViolationsOf(finished).empty()) {
      return Annotate(finished, name);
    }
    RETURN_IF_ERROR(finished);
    return dataset;
  }

 private:
  absl::Status CheckOptions() const {
    if (!options_.format.empty() && std::find(std::begin(kFormats), std::end(kFormats),
                                              options_.format) == std::end(kFormats)) {
      return InvalidField("read.format", Printable(options_.format), absl::StrJoin(kFormats, ", "),
                          "Leave it out to have it told by the files.");
    }
    const bool both = options_.image_height > 0 && options_.image_width > 0;
    const bool none = options_.image_height == 0 && options_.image_width == 0;
    if ((!both && !none) || std::max(options_.image_height, options_.image_width) > 4096) {
      return InvalidField("read.image_size",
                          absl::StrCat(options_.image_height, ", ", options_.image_width),
                          "two sides of 1 to 4096, or none", "Use 224, 224.");
    }
    return absl::OkStatus();
  }

  absl::StatusOr<NamedBytes> Open(const SourceFile& source) {
    NamedBytes file{.name = Printable(source.name)};
    ASSIGN_OR_RETURN(MappedFile mapped, MappedFile::Open(source.path));
    if (IsGzip(mapped.bytes())) {
      ASSIGN_OR_RETURN(std::string bytes,
                       Gunzip(file.name, mapped.bytes(), options_.max_decoded_bytes));
      file.name = WithoutGzipSuffix(file.name);
      file.bytes = contents_->unpacked.emplace_back(std::move(bytes));
    } else {
      file.bytes = contents_->mapped.emplace_back(std::move(mapped)).bytes();
    }
    return file;
  }

  absl::StatusOr<LoadedDataset> Read(std::vector<NamedBytes> files, bool in_tar) {
    const auto kind_of = [this](const NamedBytes& file) { return KindOf(file, options_); };
    std::erase_if(files, [&](const NamedBytes& file) { return kind_of(file) == Kind::kReadme; });
    if (files.empty()) {
      return absl::InvalidArgumentError(
          absl::StrCat("the data set is empty: it has no files. ", kKnown, "."));
    }
    const Kind kind = kind_of(files[0]);
    for (const NamedBytes& file : files) {
      if (kind_of(file) == Kind::kUnknown) {
        return absl::InvalidArgumentError(absl::StrCat(Printable(file.name), ": not understood. ",
                                                       kKnown, "; leave others out."));
      }
      if (kind_of(file) != kind) {
        return absl::InvalidArgumentError(
            absl::StrCat(Printable(file.name), ": of another kind than ", Printable(files[0].name),
                         ". A data set has files of one kind; push them one by one."));
      }
    }
    return ReadKind(kind, files, in_tar);
  }

  absl::StatusOr<LoadedDataset> ReadKind(Kind kind, const std::vector<NamedBytes>& files,
                                         bool in_tar) {
    const bool single = kind == Kind::kNpz || kind == Kind::kSafetensors;
    if (single && files.size() > 1) {
      return absl::InvalidArgumentError(
          absl::StrCat(Printable(files[1].name), ": a second archive beside ",
                       Printable(files[0].name), ". A data set has one; push them one by one."));
    }
    switch (kind) {
      case Kind::kNpz:
        return ReadNpzDataset(files[0], context_);
      case Kind::kSafetensors:
        return ReadSafetensorsDataset(files[0], context_);
      case Kind::kNpy:
        return ReadNpyDataset(files, context_);
      case Kind::kTokens:
        return ReadTokenDataset(files, context_);
      case Kind::kIdx:
        return ReadIdxDataset(files, context_);
      case Kind::kCifar:
        return ReadCifarDataset(files, context_);
      case Kind::kTar:
        return ReadArchives(files, in_tar);
      default:
        return absl::InvalidArgumentError(absl::StrCat(
            Printable(files[0].name), ": images must come in one .tar, in a folder a class."));
    }
  }

  // Images, or any other data set packed for transport in one archive.
  absl::StatusOr<LoadedDataset> ReadArchives(const std::vector<NamedBytes>& files, bool in_tar) {
    if (in_tar) {
      return absl::InvalidArgumentError(
          absl::StrCat(Printable(files[0].name), ": an archive within an archive. Unpack it."));
    }
    std::vector<Shard> shards;
    for (const NamedBytes& file : files) {
      ASSIGN_OR_RETURN(std::vector<NamedBytes> members, ReadTar(file));
      shards.push_back({file.name, std::move(members)});
    }
    const bool told = options_.format == "webdataset";
    if (told || (options_.format.empty() && IsWebDataset(shards))) {
      return ReadWebDataset(shards, context_);
    }
    std::vector<NamedBytes> members;
    for (Shard& shard : shards) {
      members.insert(members.end(), std::make_move_iterator(shard.members.begin()),
                     std::make_move_iterator(shard.members.end()));
    }
    if (std::any_of(members.begin(), members.end(),
                    [](const NamedBytes& member) { return IsImageName(member.name); })) {
      return ReadImageFolder(members, context_);
    }
    return Read(std::move(members), /*in_tar=*/true);
  }

  const LoadOptions& options_;
  const std::shared_ptr<Contents> contents_;
  ReadContext context_;
};

}  // namespace

absl::StatusOr<LoadedDataset> LoadDataset(absl::Span<const SourceFile> files,
                                          const LoadOptions& options) {
  return Loader(options).Load(files);
}

}  // namespace mantissa::data
