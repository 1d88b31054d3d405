#include "server/data/safetensors.h"

#include <algorithm>
#include <bit>
#include <optional>
#include <set>
#include <utility>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "base/status.h"
#include "nlohmann/json.hpp"
#include "server/data/names.h"

namespace mantissa::data {
namespace {

static_assert(std::endian::native == std::endian::little, "the format is little-endian");

using Json = nlohmann::json;

constexpr int64_t kPrefixBytes = 8;
constexpr absl::string_view kMetadata = "__metadata__";
// A tensor's description nests three deep: file, tensor, shape.
constexpr int kMaxDepth = 3;

int64_t BytesOf(absl::string_view dtype) {
  static const auto* const kBytes = new std::map<absl::string_view, int64_t>{
      {"BOOL", 1}, {"U8", 1},  {"I8", 1},  {"F8_E4M3", 1}, {"F8_E5M2", 1},
      {"U16", 2},  {"I16", 2}, {"F16", 2}, {"BF16", 2},    {"U32", 4},
      {"I32", 4},  {"F32", 4}, {"U64", 8}, {"I64", 8},     {"F64", 8}};
  const auto found = kBytes->find(dtype);
  return found == kBytes->end() ? 0 : found->second;
}

// Parses the header; refuses deep nesting and repeated names, which JSON would let pass.
absl::StatusOr<Json> ParseHeader(const std::string& text) {
  std::set<std::string> names;
  std::string problem;
  const auto watch = [&](int depth, Json::parse_event_t event, Json& parsed) {
    if (depth > kMaxDepth) problem = "nests too deep";
    if (depth == 1 && event == Json::parse_event_t::key &&
        !names.insert(parsed.get<std::string>()).second) {
      problem = absl::StrCat("names ", Printable(parsed.get<std::string>()), " twice");
    }
    return problem.empty();
  };
  Json header = Json::parse(text, watch, /*allow_exceptions=*/false);
  if (!problem.empty()) return absl::InvalidArgumentError(absl::StrCat("its header ", problem));
  if (header.is_discarded() || !header.is_object()) {
    return absl::InvalidArgumentError("its header is not a JSON object");
  }
  return header;
}

// A number of at most 2^62, or nothing.
std::optional<int64_t> AsSize(const Json& value) {
  if (!value.is_number_unsigned()) return std::nullopt;
  const uint64_t size = value.get<uint64_t>();
  if (size > uint64_t{1} << 62) return std::nullopt;
  return static_cast<int64_t>(size);
}

absl::StatusOr<std::vector<int64_t>> ParseShape(const Json& tensor, int64_t max_dimensions) {
  if (!tensor.contains("shape") || !tensor["shape"].is_array()) {
    return absl::InvalidArgumentError("has no shape");
  }
  std::vector<int64_t> shape;
  for (const Json& dimension : tensor["shape"]) {
    const std::optional<int64_t> size = AsSize(dimension);
    if (!size.has_value()) {
      return absl::InvalidArgumentError("has a dimension that is not a size");
    }
    shape.push_back(*size);
  }
  if (static_cast<int64_t>(shape.size()) > max_dimensions) {
    return absl::ResourceExhaustedError(
        absl::StrCat("has ", shape.size(), " dimensions; the limit is ", max_dimensions));
  }
  return shape;
}

// dtype, shape and place of one tensor; offsets still count from the start of the data.
absl::StatusOr<Safetensors::Entry> ParseEntry(const Json& tensor, int64_t data_bytes,
                                              int64_t max_dimensions) {
  Safetensors::Entry entry;
  if (!tensor.is_object() || !tensor.contains("dtype") || !tensor["dtype"].is_string()) {
    return absl::InvalidArgumentError("has no dtype");
  }
  entry.dtype = tensor["dtype"].get<std::string>();
  const int64_t element_bytes = BytesOf(entry.dtype);
  if (element_bytes == 0) {
    return absl::InvalidArgumentError(
        absl::StrCat("has the unknown dtype ", Printable(entry.dtype)));
  }
  ASSIGN_OR_RETURN(entry.shape, ParseShape(tensor, max_dimensions));
  int64_t bytes = element_bytes;
  for (const int64_t size : entry.shape) {
    if (__builtin_mul_overflow(bytes, size, &bytes)) {
      return absl::InvalidArgumentError("has a shape whose size overflows");
    }
  }
  const auto offsets = tensor.find("data_offsets");
  if (offsets == tensor.end() || !offsets->is_array() || offsets->size() != 2) {
    return absl::InvalidArgumentError("has no data_offsets of two numbers");
  }
  const std::optional<int64_t> begin = AsSize((*offsets)[0]), end = AsSize((*offsets)[1]);
  if (!begin || !end || *begin > *end || *end > data_bytes) {
    return absl::InvalidArgumentError(
        absl::StrCat("has data_offsets that are no range in the ", data_bytes, " bytes of data"));
  }
  if (*end - *begin != bytes) {
    return absl::InvalidArgumentError(absl::StrCat("takes ", *end - *begin, " bytes; ", entry.dtype,
                                                   "[", absl::StrJoin(entry.shape, ", "),
                                                   "] needs ", bytes));
  }
  entry.begin = *begin;
  entry.end = *end;
  return entry;
}

// The tensors lie side by side and fill the data.
absl::Status CheckCover(const std::map<std::string, Safetensors::Entry>& entries,
                        int64_t data_bytes) {
  std::vector<std::pair<int64_t, int64_t>> spans;
  spans.reserve(entries.size());
  for (const auto& [name, entry] : entries) spans.emplace_back(entry.begin, entry.end);
  std::sort(spans.begin(), spans.end());
  int64_t covered = 0;
  for (const auto& [begin, end] : spans) {
    if (begin < covered) return absl::InvalidArgumentError("its tensors overlap");
    if (begin > covered) return absl::InvalidArgumentError("there is a gap between its tensors");
    covered = end;
  }
  if (covered != data_bytes) {
    return absl::InvalidArgumentError(
        absl::StrCat("its tensors end at byte ", covered, " of ", data_bytes, " bytes of data"));
  }
  return absl::OkStatus();
}

absl::StatusOr<std::map<std::string, std::string>> ParseMetadata(const Json& value) {
  std::map<std::string, std::string> metadata;
  if (!value.is_object()) return absl::InvalidArgumentError("its __metadata__ is not an object");
  for (const auto& [key, text] : value.items()) {
    if (!text.is_string()) {
      return absl::InvalidArgumentError(
          absl::StrCat("its __metadata__.", Printable(key), " is not a string"));
    }
    metadata[key] = text.get<std::string>();
  }
  return metadata;
}

absl::StatusOr<std::string> ReadHeader(const ReadableFile& file, int64_t max_bytes) {
  if (file.size() < kPrefixBytes) {
    return absl::InvalidArgumentError(
        absl::StrCat("it has ", file.size(), " bytes, too few for a header"));
  }
  uint64_t length = 0;
  RETURN_IF_ERROR(file.ReadAt(0, absl::MakeSpan(reinterpret_cast<char*>(&length), kPrefixBytes)));
  if (length > static_cast<uint64_t>(max_bytes)) {
    return absl::ResourceExhaustedError(
        absl::StrCat("its header declares ", length, " bytes; the limit is ", max_bytes));
  }
  if (length > static_cast<uint64_t>(file.size() - kPrefixBytes)) {
    return absl::InvalidArgumentError(
        absl::StrCat("its header declares ", length, " bytes; the file has only ", file.size()));
  }
  std::string text(length, '\0');
  RETURN_IF_ERROR(file.ReadAt(kPrefixBytes, absl::MakeSpan(text.data(), text.size())));
  return text;
}

}  // namespace

absl::StatusOr<Safetensors> Safetensors::Open(FileSystem& files, absl::string_view path,
                                              const SafetensorsLimits& limits) {
  ASSIGN_OR_RETURN(std::unique_ptr<ReadableFile> file, files.OpenForRead(path));
  return Read(std::move(file), path, limits);
}

absl::StatusOr<Safetensors> Safetensors::Read(std::unique_ptr<ReadableFile> file,
                                              absl::string_view path,
                                              const SafetensorsLimits& limits) {
  Safetensors result;
  result.path_ = std::string(path);
  result.file_ = std::move(file);
  const auto fail = [&](const absl::Status& status) { return Annotate(status, path); };

  const absl::StatusOr<std::string> text = ReadHeader(*result.file_, limits.header_bytes);
  if (!text.ok()) return fail(text.status());
  const absl::StatusOr<Json> header = ParseHeader(*text);
  if (!header.ok()) return fail(header.status());
  if (static_cast<int64_t>(header->size()) > limits.tensors) {
    return fail(absl::ResourceExhaustedError(
        absl::StrCat("it holds ", header->size(), " tensors; the limit is ", limits.tensors)));
  }
  const int64_t data_start = kPrefixBytes + static_cast<int64_t>(text->size());
  const int64_t data_bytes = result.file_->size() - data_start;
  for (const auto& [name, value] : header->items()) {
    if (name == kMetadata) {
      auto metadata = ParseMetadata(value);
      if (!metadata.ok()) return fail(metadata.status());
      result.metadata_ = *std::move(metadata);
      continue;
    }
    auto entry = ParseEntry(value, data_bytes, limits.dimensions);
    if (!entry.ok())
      return fail(Annotate(entry.status(), absl::StrCat("tensor ", Printable(name))));
    result.entries_[name] = *std::move(entry);
  }
  if (const absl::Status status = CheckCover(result.entries_, data_bytes); !status.ok()) {
    return fail(status);
  }
  for (auto& [name, entry] : result.entries_) {
    entry.begin += data_start;
    entry.end += data_start;
  }
  return result;
}

absl::Status Safetensors::ReadBytes(const std::string& name, absl::string_view dtype,
                                    absl::Span<const int64_t> shape, absl::Span<char> out) const {
  const auto found = entries_.find(name);
  if (found == entries_.end()) {
    return absl::InvalidArgumentError(absl::StrCat(path_, " holds no tensor ", name, "; needed is ",
                                                   dtype, "[", absl::StrJoin(shape, ", "), "]"));
  }
  const Entry& entry = found->second;
  if (entry.dtype != dtype || absl::MakeConstSpan(entry.shape) != shape) {
    return absl::InvalidArgumentError(absl::StrCat(
        path_, ": tensor ", name, " is ", entry.dtype, "[", absl::StrJoin(entry.shape, ", "),
        "]; needed is ", dtype, "[", absl::StrJoin(shape, ", "), "]"));
  }
  return file_->ReadAt(entry.begin, out);
}

absl::Status Safetensors::ReadF32(const std::string& name, absl::Span<const int64_t> shape,
                                  absl::Span<float> out) const {
  return ReadBytes(name, "F32", shape,
                   absl::MakeSpan(reinterpret_cast<char*>(out.data()), out.size() * sizeof(float)));
}

absl::Status Safetensors::ReadI64(const std::string& name, absl::Span<const int64_t> shape,
                                  absl::Span<int64_t> out) const {
  return ReadBytes(
      name, "I64", shape,
      absl::MakeSpan(reinterpret_cast<char*>(out.data()), out.size() * sizeof(int64_t)));
}

absl::Status WriteSafetensors(FileSystem& files, absl::string_view path,
                              absl::Span<const SafetensorsTensor> tensors,
                              const std::map<std::string, std::string>& metadata) {
  Json header = Json::object();
  if (!metadata.empty()) header[std::string(kMetadata)] = metadata;
  int64_t offset = 0;
  for (const SafetensorsTensor& tensor : tensors) {
    const int64_t end = offset + static_cast<int64_t>(tensor.bytes.size());
    header[tensor.name] = {
        {"dtype", tensor.dtype}, {"shape", tensor.shape}, {"data_offsets", {offset, end}}};
    offset = end;
  }
  std::string text = header.dump();
  // So that the data are aligned for those who map the file.
  text.append((kPrefixBytes - text.size() % kPrefixBytes) % kPrefixBytes, ' ');
  const uint64_t length = text.size();

  const std::string draft = absl::StrCat(path, ".tmp");
  absl::Cleanup remove_draft = [&] { (void)files.Remove(draft); };
  ASSIGN_OR_RETURN(auto file, files.OpenForAppend(draft, /*truncate=*/true));
  RETURN_IF_ERROR(
      file->Append(absl::string_view(reinterpret_cast<const char*>(&length), sizeof(length))));
  RETURN_IF_ERROR(file->Append(text));
  for (const SafetensorsTensor& tensor : tensors) RETURN_IF_ERROR(file->Append(tensor.bytes));
  RETURN_IF_ERROR(file->Sync());
  file.reset();
  RETURN_IF_ERROR(files.Rename(draft, path));
  std::move(remove_draft).Cancel();
  return absl::OkStatus();
}

}  // namespace mantissa::data
