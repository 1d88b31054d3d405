#include "server/models/metadata.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/status.h"
#include "server/data/names.h"
#include "server/models/dtypes.h"

namespace mantissa::models {
namespace {

using planner::Dim;
using planner::DType;

// Strides and sizes at export beyond this are no tensor's.
constexpr int64_t kMostElements = int64_t{1} << 52;

absl::Status InTensor(const absl::Status& status, absl::string_view name) {
  return Annotate(status, absl::StrCat("tensor ", data::Printable(name)));
}

absl::Status Wrong(absl::string_view name, absl::string_view what) {
  return absl::InvalidArgumentError(
      absl::StrCat("tensor ", data::Printable(name), ": ", what, ". Export the model again."));
}

absl::StatusOr<Layout> LayoutOf(const TensorMeta& meta, absl::string_view name) {
  Layout layout;
  int64_t elements = 1;
  for (size_t i = 0; i < meta.sizes.size(); ++i) {
    ASSIGN_OR_RETURN(const int64_t size, AtExport(meta.sizes[i]));
    ASSIGN_OR_RETURN(const int64_t stride, AtExport(meta.strides[i]));
    if (size < 0 || stride < 0) {
      return Wrong(name, absl::StrCat("its dimension ", i, " has the size ", size,
                                      " and the stride ", stride, "; both must be 0 or more"));
    }
    if (stride > kMostElements ||
        __builtin_mul_overflow(elements, std::max<int64_t>(size, 1), &elements) ||
        elements > kMostElements) {
      return Wrong(name, absl::StrCat("it has more than ", kMostElements, " elements"));
    }
    layout.sizes.push_back(size);
    layout.strides.push_back(stride);
  }
  return layout;
}

}  // namespace

absl::StatusOr<Metadata> Metadata::Make(const Program& program, const Limits& limits) {
  Metadata metadata(limits);
  RETURN_IF_ERROR(metadata.FindBatch(program));
  RETURN_IF_ERROR(metadata.FindNumbers(program.graph));
  return metadata;
}

absl::Status Metadata::FindBatch(const Program& program) {
  for (const InputSpec& input : program.inputs) {
    if (input.kind != InputKind::kUser) continue;
    const auto meta = program.graph.tensors.find(input.name);
    if (meta == program.graph.tensors.end() || meta->second.sizes.empty()) continue;
    const std::string& first = meta->second.sizes[0].expression;
    if (first.empty()) continue;
    absl::StatusOr<std::vector<std::string>> names = SymbolsOf(first);
    if (!names.ok()) return InTensor(names.status(), input.name);
    symbols_.batch.insert(names->begin(), names->end());
  }
  if (!symbols_.batch.empty()) return absl::OkStatus();
  return absl::InvalidArgumentError(
      "the model was exported for one batch size: no input's first dimension is dynamic. Export it "
      "with dynamic_shapes={\"x\": {0: torch.export.Dim.AUTO}}, x being the name of its input.");
}

absl::Status Metadata::FindNumbers(const ProgramGraph& graph) {
  const auto add = [this](const SymbolicInt& size) -> absl::Status {
    if (size.expression.empty() || !size.hint.has_value() ||
        size.expression.compare(0, 7, "Symbol(") != 0) {
      return absl::OkStatus();
    }
    ASSIGN_OR_RETURN(const std::vector<std::string> names, SymbolsOf(size.expression));
    if (!symbols_.batch.contains(names[0])) symbols_.numbers.emplace(names[0], *size.hint);
    return absl::OkStatus();
  };
  for (const auto& [name, meta] : graph.tensors) {
    for (const SymbolicInt& size : meta.sizes) RETURN_IF_ERROR(add(size));
  }
  for (const auto& [name, symbol] : graph.symbols) RETURN_IF_ERROR(add(symbol));
  return absl::OkStatus();
}

absl::StatusOr<Dim> Metadata::ToDimCached(const SymbolicInt& size) {
  if (size.expression.empty()) return Dim(size.number);
  const auto known = dims_.find(size.expression);
  if (known != dims_.end()) return known->second;
  ASSIGN_OR_RETURN(const Dim dim, ToDim(size, symbols_));
  dims_.emplace(size.expression, dim);
  return dim;
}

absl::StatusOr<CallOutput> Metadata::Describe(const ProgramGraph& graph, absl::string_view name) {
  const auto found = graph.tensors.find(name);
  if (found == graph.tensors.end()) return Wrong(name, "the program says nothing of it");
  const TensorMeta& meta = found->second;
  CallOutput output{.name = std::string(name)};
  const absl::StatusOr<DType> dtype = ElementType(meta.dtype);
  if (!dtype.ok()) return InTensor(dtype.status(), name);
  output.dtype = *dtype;
  absl::StatusOr<Layout> layout = LayoutOf(meta, name);
  if (!layout.ok()) return InTensor(layout.status(), name);
  output.layout = *std::move(layout);
  int64_t elements = 1;
  int batches = 0;
  for (const SymbolicInt& size : meta.sizes) {
    const absl::StatusOr<Dim> dim = ToDimCached(size);
    if (!dim.ok()) return InTensor(dim.status(), name);
    if (dim->factor < 0 ||
        __builtin_mul_overflow(elements, std::max<int64_t>(1, dim->factor), &elements) ||
        elements > limits_.elements) {
      return Wrong(name, absl::StrCat("it has more than ", limits_.elements,
                                      " elements for a sample, the limit, or a negative size"));
    }
    batches += dim->times_batch ? 1 : 0;
    output.shape.push_back(*dim);
  }
  if (batches > 1) return Wrong(name, "two of its dimensions grow with the batch; one may");
  return output;
}

absl::StatusOr<Dim> Metadata::Symbol(const ProgramGraph& graph, absl::string_view name) {
  const auto symbol = graph.symbols.find(name);
  if (symbol == graph.symbols.end()) {
    return absl::InvalidArgumentError(absl::StrCat("the number ", data::Printable(name),
                                                   " is not defined. Export the model again."));
  }
  return ToDimCached(symbol->second);
}

absl::StatusOr<DType> Metadata::ElementType(int64_t scalar_type) const {
  ASSIGN_OR_RETURN(const DType dtype, ToDType(scalar_type));
  return Widened(dtype);
}

}  // namespace mantissa::models
