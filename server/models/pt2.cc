#include "server/models/pt2.h"

#include <algorithm>
#include <utility>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "base/file.h"
#include "base/status.h"
#include "server/data/names.h"
#include "server/models/import.h"
#include "server/models/program_reader.h"
#include "server/models/tensor_bytes.h"

namespace mantissa::models {
namespace {

constexpr absl::string_view kExport =
    " Save the model with torch.export.save(torch.export.export(model, inputs), \"model.pt2\") of "
    "torch 2.9 or newer.";

absl::Status Refuse(absl::string_view what) {
  return absl::InvalidArgumentError(
      absl::StrCat("it is no model that can be read: ", what, kExport));
}

const data::ZipEntry* Find(const data::ZipArchive& zip, absl::string_view path) {
  for (const data::ZipEntry& entry : zip.entries()) {
    if (entry.name == path) return &entry;
  }
  return nullptr;
}

// Where the program is.
struct Place {
  // The folder around all, with its "/"; may be empty.
  std::string root;
  // "model" of "models/model.json".
  std::string model;
};

absl::Status WhyNoModel(const data::ZipArchive& zip) {
  for (const data::ZipEntry& entry : zip.entries()) {
    if (entry.name == "serialized_exported_program.json") {
      return Refuse("it was saved by torch 2.7 or older, whose weights are a pickle.");
    }
    if (absl::StrContains(entry.name, "data/aotinductor/")) {
      return Refuse("it holds a model that is compiled (AOTInductor), without its graph.");
    }
    if (absl::EndsWith(entry.name, "/data.pkl")) {
      return Refuse("it is a pickle, of torch.save or TorchScript.");
    }
  }
  return Refuse("it has no models/*.json.");
}

absl::StatusOr<Place> FindModel(const data::ZipArchive& zip) {
  constexpr absl::string_view kFolder = "models/", kSuffix = ".json";
  std::vector<Place> found;
  for (const data::ZipEntry& entry : zip.entries()) {
    absl::string_view path = entry.name;
    if (!absl::ConsumeSuffix(&path, kSuffix)) continue;
    const size_t folder = path.find(kFolder);
    const bool is_model = folder != absl::string_view::npos &&
                          (folder == 0 || path.find('/') == folder - 1) &&
                          path.find('/', folder + kFolder.size()) == absl::string_view::npos;
    if (!is_model) continue;
    found.push_back(
        {std::string(path.substr(0, folder)), std::string(path.substr(folder + kFolder.size()))});
  }
  if (found.empty()) return WhyNoModel(zip);
  if (found.size() > 1) {
    return Refuse(absl::StrCat("it holds ", found.size(), " models; one is needed."));
  }
  return found[0];
}

absl::Status CheckFormat(const data::ZipArchive& zip, absl::string_view root,
                         const Limits& limits) {
  const data::ZipEntry* order = Find(zip, absl::StrCat(root, "byteorder"));
  if (order != nullptr) {
    constexpr int64_t kLongest = 16;
    std::string unpacked;
    ASSIGN_OR_RETURN(const absl::string_view text, zip.View(*order, kLongest, unpacked));
    if (text != "little") return Refuse("its bytes are not in the order of this machine.");
  }
  for (const data::ZipEntry& entry : zip.entries()) {
    if (entry.deflated && entry.size > limits.compressed_bytes &&
        absl::StartsWith(entry.name, absl::StrCat(root, "data/"))) {
      return absl::ResourceExhaustedError(
          absl::StrCat(data::Printable(entry.name), " unpacks to ", entry.size, " bytes; ",
                       limits.compressed_bytes, " are the limit for what is compressed.", kExport));
    }
  }
  return absl::OkStatus();
}

// The tensors in the order of `indices`, each as it is in the graph.
std::vector<StoredTensor> Pick(const StoredTensors& stored, const std::vector<size_t>& indices,
                               const planner::Graph& graph,
                               const std::vector<planner::ValueId>& values) {
  std::vector<StoredTensor> picked;
  for (size_t i = 0; i < indices.size(); ++i) {
    picked.push_back(stored.tensors[indices[i]]);
    picked.back().dtype = graph.value(values[i]).dtype;
  }
  return picked;
}

std::vector<StoredTensor> Unused(const StoredTensors& stored, const Imported& imported) {
  absl::flat_hash_set<size_t> used;
  for (const auto* indices : {&imported.parameters, &imported.buffers, &imported.constants}) {
    used.insert(indices->begin(), indices->end());
  }
  std::vector<StoredTensor> unused;
  for (size_t i = 0; i < stored.tensors.size(); ++i) {
    if (!used.contains(i) && stored.weights.contains(stored.tensors[i].name())) {
      unused.push_back(stored.tensors[i]);
    }
  }
  return unused;
}

}  // namespace

Archive::Archive(planner::Graph graph, data::ZipArchive zip, const Limits& limits)
    : graph(std::move(graph)), zip_(std::move(zip)), limits_(limits) {}

absl::Status Archive::Read(const StoredTensor& tensor, absl::Span<char> out) const {
  return ReadTensor(zip_, tensor, limits_, out);
}

absl::StatusOr<Archive> ReadPt2Bytes(absl::string_view name, absl::string_view bytes,
                                     const Limits& limits) {
  if (!data::IsZip(bytes)) return Annotate(Refuse("it is no zip archive."), name);
  ASSIGN_OR_RETURN(data::ZipArchive zip, data::ZipArchive::Open(name, bytes));
  const auto read = [&]() -> absl::StatusOr<Archive> {
    ASSIGN_OR_RETURN(const Place place, FindModel(zip));
    RETURN_IF_ERROR(CheckFormat(zip, place.root, limits));
    const std::string file = absl::StrCat("models/", place.model, ".json");
    std::string unpacked;
    ASSIGN_OR_RETURN(const absl::string_view json,
                     zip.View(*Find(zip, place.root + file), limits.json_bytes, unpacked));
    ASSIGN_OR_RETURN(const Program program, ReadProgram(file, json, limits));
    ASSIGN_OR_RETURN(const StoredTensors stored,
                     ReadStoredTensors(zip, place.root, place.model, limits));
    ASSIGN_OR_RETURN(Imported imported,
                     ImportProgram(absl::StripSuffix(name, ".pt2"), program, stored, limits));
    Archive archive(std::move(imported.graph), std::move(zip), limits);
    const planner::Graph& graph = archive.graph;
    archive.parameters = Pick(stored, imported.parameters, graph, graph.parameters());
    archive.buffers = Pick(stored, imported.buffers, graph, graph.buffers());
    archive.constants = Pick(stored, imported.constants, graph, graph.constants());
    archive.unused = Unused(stored, imported);
    archive.torch_version = program.torch_version;
    return archive;
  };
  absl::StatusOr<Archive> archive = read();
  // The zip's own errors have the name already.
  if (archive.ok() || absl::StartsWith(archive.status().message(), name)) return archive;
  return Annotate(archive.status(), name);
}

absl::StatusOr<Archive> ReadPt2(const std::string& path, const Limits& limits) {
  ASSIGN_OR_RETURN(MappedFile file, MappedFile::Open(path));
  auto shared = std::make_shared<const MappedFile>(std::move(file));
  ASSIGN_OR_RETURN(Archive archive, ReadPt2Bytes(BaseName(path), shared->bytes(), limits));
  archive.file_ = std::move(shared);
  return archive;
}

}  // namespace mantissa::models
