#include "server/data/webdataset.h"

#include <algorithm>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "base/file.h"
#include "base/status.h"
#include "server/data/array_columns.h"
#include "server/data/encoded_images.h"
#include "server/data/image.h"
#include "server/data/names.h"

namespace mantissa::data {
namespace {

// Finds "label" or "cls" of the outermost object. Never holds a document, however deep.
class LabelFinder : public nlohmann::json_sax<nlohmann::json> {
 public:
  std::optional<int64_t> label() const { return label_; }

  bool key(string_t& name) override {
    wanted_ = depth_ == 1 && (name == "label" || name == "cls");
    return true;
  }
  bool number_integer(number_integer_t value) override { return Take(value); }
  bool number_unsigned(number_unsigned_t value) override {
    return Take(static_cast<int64_t>(std::min<uint64_t>(value, INT64_MAX)));
  }
  bool start_object(std::size_t) override { return Enter(); }
  bool start_array(std::size_t) override { return Enter(); }
  bool end_object() override { return Leave(); }
  bool end_array() override { return Leave(); }
  bool null() override { return Pass(); }
  bool boolean(bool) override { return Pass(); }
  bool number_float(number_float_t, const string_t&) override { return Pass(); }
  bool string(string_t&) override { return Pass(); }
  bool binary(binary_t&) override { return Pass(); }
  bool parse_error(std::size_t, const std::string&, const nlohmann::json::exception&) override {
    return false;
  }

 private:
  bool Pass() {
    wanted_ = false;
    return true;
  }
  bool Take(int64_t value) {
    if (wanted_) label_ = value;
    return Pass();
  }
  bool Enter() {
    ++depth_;
    return Pass();
  }
  bool Leave() {
    --depth_;
    return Pass();
  }

  int64_t depth_ = 0;
  bool wanted_ = false;
  std::optional<int64_t> label_;
};

bool IsLabel(absl::string_view extension) { return extension == "cls" || extension == "json"; }

std::optional<int64_t> LabelOf(absl::string_view extension, absl::string_view bytes) {
  int64_t label = 0;
  if (extension == "cls") {
    if (!absl::SimpleAtoi(absl::StripAsciiWhitespace(bytes), &label)) return std::nullopt;
    return label;
  }
  LabelFinder finder;
  const bool parsed = nlohmann::json::sax_parse(bytes.begin(), bytes.end(), &finder);
  return parsed ? finder.label() : std::nullopt;
}

// "a/b.seg.png" -> "a/b", "seg.png".
std::pair<absl::string_view, std::string> KeyAndExtension(absl::string_view name) {
  const size_t slash = name.rfind('/');
  const size_t dot = name.find('.', slash == absl::string_view::npos ? 0 : slash);
  if (dot == absl::string_view::npos) return {name, ""};
  return {name.substr(0, dot), absl::AsciiStrToLower(name.substr(dot + 1))};
}

absl::Status Bad(const Shard& shard, absl::string_view key, absl::string_view what) {
  return absl::InvalidArgumentError(
      absl::StrCat(Printable(shard.name), ": sample ", Printable(key), " ", what));
}

// One sample, while its members are read.
struct Sample {
  absl::string_view key;
  const NamedBytes* image = nullptr;
  const NamedBytes* label = nullptr;
  std::string label_extension;
};

absl::Status Finish(const Shard& shard, const Sample& sample, std::vector<LabelledImage>& images) {
  if (sample.image == nullptr && sample.label == nullptr) return absl::OkStatus();
  if (sample.image == nullptr) {
    return Bad(shard, sample.key,
               "has a class but no image; allowed are .jpg, .jpeg and .png, next to it in the "
               "archive. Leave it out, or add the image.");
  }
  if (sample.label == nullptr) {
    return Bad(shard, sample.key,
               "has no class; needed is a number in .cls, or in .json, next to it in the archive. "
               "Leave it out, or add its class.");
  }
  const std::optional<int64_t> label = LabelOf(sample.label_extension, sample.label->bytes);
  if (!label || *label < 0 || *label >= kMaxClasses) {
    return Bad(shard, sample.key,
               absl::StrCat("has ", label ? absl::StrCat("the class ", *label) : "no number",
                            " in its .", sample.label_extension, "; allowed are classes from 0 to ",
                            kMaxClasses - 1, ". Number the classes from 0."));
  }
  images.push_back({{absl::StrCat(Printable(shard.name), ": ", Printable(sample.image->name)),
                     sample.image->bytes, *label},
                    IsTestName(BaseName(shard.name))});
  return absl::OkStatus();
}

absl::Status AddShard(const Shard& shard, std::vector<LabelledImage>& images) {
  Sample sample;
  for (const NamedBytes& member : shard.members) {
    const auto [key, extension] = KeyAndExtension(member.name);
    if (key != sample.key) {
      RETURN_IF_ERROR(Finish(shard, sample, images));
      sample = {.key = key};
    }
    if (sample.image == nullptr && IsImageName(absl::StrCat(".", extension))) {
      sample.image = &member;
    } else if (IsLabel(extension) && sample.label_extension != "cls") {
      sample.label = &member;
      sample.label_extension = extension;
    }
  }
  return Finish(shard, sample, images);
}

}  // namespace

bool IsWebDataset(absl::Span<const Shard> shards) {
  return std::any_of(shards.begin(), shards.end(), [](const Shard& shard) {
    return std::any_of(shard.members.begin(), shard.members.end(), [](const NamedBytes& member) {
      return IsLabel(KeyAndExtension(member.name).second);
    });
  });
}

absl::StatusOr<LoadedDataset> ReadWebDataset(absl::Span<const Shard> shards, ReadContext& context) {
  std::vector<const Shard*> sorted;
  for (const Shard& shard : shards) sorted.push_back(&shard);
  std::sort(sorted.begin(), sorted.end(),
            [](const Shard* a, const Shard* b) { return a->name < b->name; });
  std::vector<LabelledImage> images;
  for (const Shard* shard : sorted) RETURN_IF_ERROR(AddShard(*shard, images));
  int64_t classes = 0;
  for (const LabelledImage& image : images) classes = std::max(classes, image.image.label + 1);
  LoadedDataset dataset{.format = "webdataset"};
  RETURN_IF_ERROR(AddImages(std::move(images), classes, context, dataset));
  return dataset;
}

}  // namespace mantissa::data
