#include "server/models/stored_tensor.h"

#include <algorithm>
#include <map>
#include <optional>
#include <tuple>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/status.h"
#include "server/data/bytes.h"
#include "server/data/names.h"
#include "server/models/dtypes.h"
#include "server/models/json.h"
#include "server/models/program_arguments.h"

namespace mantissa::models {
namespace {

using data::CheckedProduct;

// Elements from the first to past the last one that `tensor` shows; nothing where that overflows.
std::optional<int64_t> Extent(const StoredTensor& tensor) {
  int64_t last = tensor.offset;
  for (size_t i = 0; i < tensor.layout.sizes.size(); ++i) {
    if (tensor.layout.sizes[i] == 0) return 0;
    const std::optional<int64_t> step =
        CheckedProduct(tensor.layout.sizes[i] - 1, tensor.layout.strides[i]);
    if (!step.has_value() || __builtin_add_overflow(last, *step, &last)) return std::nullopt;
  }
  if (__builtin_add_overflow(last, 1, &last)) return std::nullopt;
  return last;
}

// Whether two of its elements are in one place, as an expanded tensor's are: dimensions by stride,
// each must step over all of those before it.
bool OverlapsItself(const StoredTensor& tensor) {
  std::vector<std::pair<int64_t, int64_t>> dims;  // stride, size
  for (size_t i = 0; i < tensor.layout.sizes.size(); ++i) {
    if (tensor.layout.sizes[i] > 1)
      dims.push_back({tensor.layout.strides[i], tensor.layout.sizes[i]});
  }
  std::sort(dims.begin(), dims.end());
  int64_t reach = 0;  // elements from the first to the last of the dimensions seen
  for (const auto& [stride, size] : dims) {
    if (stride <= reach) return true;
    reach += stride * (size - 1);
  }
  return false;
}

class Reader {
 public:
  Reader(const data::ZipArchive& zip, absl::string_view root, const Limits& limits)
      : zip_(zip), root_(root), limits_(limits) {
    for (size_t i = 0; i < zip.entries().size(); ++i) entries_[zip.entries()[i].name] = i;
  }

  absl::Status Read(absl::string_view folder, absl::string_view config,
                    absl::flat_hash_map<std::string, size_t>& by_name) {
    const std::string path = absl::StrCat(root_, "data/", folder, "/", config);
    const auto entry = entries_.find(path);
    if (entry == entries_.end()) return Missing(path, folder);
    std::string unpacked;
    ASSIGN_OR_RETURN(const absl::string_view text,
                     zip_.View(zip_.entries()[entry->second], limits_.json_bytes, unpacked));
    ASSIGN_OR_RETURN(const Json json, ParseJson(config, text, limits_, {}));
    const Cursor top(json, config);
    ASSIGN_OR_RETURN(const Cursor list, top.Field("config"));
    ASSIGN_OR_RETURN(const int64_t count, list.FieldCount());
    for (int64_t i = 0; i < count; ++i) {
      ASSIGN_OR_RETURN(StoredTensor tensor,
                       ReadOne(list.At(i), list.KeyAt(i), absl::StrCat("data/", folder, "/")));
      by_name.emplace(list.KeyAt(i), Add(std::move(tensor)));
    }
    return absl::OkStatus();
  }

  std::vector<StoredTensor> Take() { return std::move(tensors_); }

 private:
  absl::Status Missing(absl::string_view path, absl::string_view folder) const {
    return absl::InvalidArgumentError(absl::StrCat(
        "the archive has no ", data::Printable(path), ": its ", folder,
        " are a pickle or are left out, and pickles are not read. Save it with torch.export.save "
        "of torch 2.9 or newer."));
  }

  absl::StatusOr<StoredTensor> ReadOne(const Cursor& json, absl::string_view name,
                                       absl::string_view folder) {
    if (!data::IsSafeName(name)) return json.Error("has a name that can't be shown");
    ASSIGN_OR_RETURN(const bool pickled, json.FieldBool("use_pickle"));
    if (pickled) {
      return json.Error(
          "is pickled, and pickles are not read: they can run any program. Only plain "
          "tensors can be trained");
    }
    ASSIGN_OR_RETURN(const absl::string_view file, json.FieldText("path_name"));
    const auto entry = entries_.find(absl::StrCat(root_, folder, file));
    if (entry == entries_.end()) {
      return json.Error(
          absl::StrCat("is in ", data::Printable(file), ", which the archive does not have"));
    }
    ASSIGN_OR_RETURN(const Cursor meta_json, json.Field("tensor_meta"));
    ASSIGN_OR_RETURN(const TensorMeta meta, ReadTensorMeta(meta_json, limits_));
    StoredTensor tensor{.names = {std::string(name)}, .requires_grad = meta.requires_grad};
    tensor.entry = entry->second;
    absl::StatusOr<planner::DType> dtype = ToDType(meta.dtype);
    if (!dtype.ok()) return Annotate(dtype.status(), meta_json.Where());
    tensor.stored_dtype = tensor.dtype = *dtype;
    RETURN_IF_ERROR(ReadPlace(meta_json, meta, tensor));
    RETURN_IF_ERROR(CheckPlace(meta_json, tensor));
    return tensor;
  }

  static absl::Status ReadPlace(const Cursor& json, const TensorMeta& meta, StoredTensor& tensor) {
    for (size_t i = 0; i < meta.sizes.size(); ++i) {
      const SymbolicInt &size = meta.sizes[i], &stride = meta.strides[i];
      if (!size.expression.empty() || !stride.expression.empty()) {
        return json.Error("has sizes that are no numbers");
      }
      if (size.number < 0 || stride.number < 0) {
        return json.Error(absl::StrCat("has the size ", size.number, " and the stride ",
                                       stride.number, " in dimension ", i,
                                       "; both must be 0 or more"));
      }
      tensor.layout.sizes.push_back(size.number);
      tensor.layout.strides.push_back(stride.number);
    }
    tensor.offset = meta.offset.number;
    if (tensor.offset < 0 || !meta.offset.expression.empty()) {
      return json.Error("has a storage_offset that is no number of 0 or more");
    }
    return absl::OkStatus();
  }

  absl::Status CheckPlace(const Cursor& json, const StoredTensor& tensor) {
    int64_t elements = 1;
    for (const int64_t size : tensor.layout.sizes) {
      const std::optional<int64_t> product = CheckedProduct(elements, size);
      if (!product.has_value() || *product > limits_.elements) {
        return json.Error(absl::StrCat("has more than ", limits_.elements, " elements, the limit"));
      }
      elements = *product;
    }
    const int64_t bytes = BytesOf(tensor.stored_dtype);
    const std::optional<int64_t> extent = Extent(tensor);
    const data::ZipEntry& entry = zip_.entries()[tensor.entry];
    if (!extent.has_value() || *extent > entry.size / bytes) {
      return json.Error(absl::StrCat("reaches past the end of ", data::Printable(entry.name),
                                     ", which has ", entry.size, " bytes: offset ", tensor.offset,
                                     ", ", elements, " elements of ", bytes, " bytes"));
    }
    bytes_ += elements * bytes;
    if (bytes_ > limits_.weight_bytes) {
      return absl::ResourceExhaustedError(
          absl::StrCat("the model's tensors have more than ", limits_.weight_bytes,
                       " bytes, the limit. Train a smaller model."));
    }
    return absl::OkStatus();
  }

  // The index of `tensor`, or of the one that is in the same place.
  size_t Add(StoredTensor tensor) {
    const auto key = std::make_tuple(tensor.entry, tensor.offset, tensor.layout.sizes,
                                     tensor.layout.strides, tensor.stored_dtype);
    const auto [it, is_new] = places_.emplace(key, tensors_.size());
    if (is_new) {
      tensors_.push_back(std::move(tensor));
    } else {
      StoredTensor& first = tensors_[it->second];
      first.names.push_back(tensor.name());
      first.requires_grad = first.requires_grad || tensor.requires_grad;
    }
    return it->second;
  }

  const data::ZipArchive& zip_;
  const absl::string_view root_;
  const Limits& limits_;
  absl::flat_hash_map<std::string, size_t> entries_;
  std::vector<StoredTensor> tensors_;
  std::map<std::tuple<size_t, int64_t, std::vector<int64_t>, std::vector<int64_t>, planner::DType>,
           size_t>
      places_;
  int64_t bytes_ = 0;
};

// Trained tensors must each have their own bytes.
absl::Status CheckOverlaps(const std::vector<StoredTensor>& tensors) {
  std::vector<std::tuple<size_t, int64_t, int64_t, const StoredTensor*>> ranges;
  for (const StoredTensor& tensor : tensors) {
    if (!tensor.requires_grad || tensor.Elements() == 0) continue;
    if (OverlapsItself(tensor)) {
      return absl::InvalidArgumentError(absl::StrCat(
          "the parameter ", data::Printable(tensor.name()),
          " has several elements in one place, so that they can't be trained apart. Make it "
          "contiguous before the export."));
    }
    const int64_t bytes = BytesOf(tensor.stored_dtype);
    ranges.push_back({tensor.entry, tensor.offset * bytes, *Extent(tensor) * bytes, &tensor});
  }
  std::sort(ranges.begin(), ranges.end());
  for (size_t i = 1; i < ranges.size(); ++i) {
    const auto& [entry, first, end, tensor] = ranges[i - 1];
    const auto& [next_entry, next_first, next_end, next] = ranges[i];
    if (entry != next_entry || next_first >= end) continue;
    return absl::InvalidArgumentError(absl::StrCat(
        "the parameters ", data::Printable(tensor->name()), " and ", data::Printable(next->name()),
        " share a part of their memory. Give each its own before the export: p.clone()."));
  }
  return absl::OkStatus();
}

}  // namespace

int64_t StoredTensor::Elements() const {
  int64_t elements = 1;
  for (const int64_t size : layout.sizes) elements *= size;
  return elements;
}

absl::StatusOr<StoredTensors> ReadStoredTensors(const data::ZipArchive& zip, absl::string_view root,
                                                absl::string_view model, const Limits& limits) {
  StoredTensors stored;
  Reader reader(zip, root, limits);
  RETURN_IF_ERROR(
      reader.Read("weights", absl::StrCat(model, "_weights_config.json"), stored.weights));
  RETURN_IF_ERROR(
      reader.Read("constants", absl::StrCat(model, "_constants_config.json"), stored.constants));
  stored.tensors = reader.Take();
  RETURN_IF_ERROR(CheckOverlaps(stored.tensors));
  return stored;
}

}  // namespace mantissa::models
