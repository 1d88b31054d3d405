#include "server/models/inputs.h"

#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "base/status.h"
#include "planner/graph/operators.h"
#include "server/data/names.h"

namespace mantissa::models {
namespace {

using planner::DType;
using planner::Graph;
using planner::Shape;
using planner::ValueId;

class InputAdder {
 public:
  InputAdder(const Program& program, const StoredTensors& stored, Metadata& metadata, Graph& graph,
             Storages& storages)
      : program_(program),
        stored_(stored),
        metadata_(metadata),
        graph_(graph),
        storages_(storages) {}

  absl::StatusOr<StoredValues> Add(TensorNamesById& tensors) {
    RETURN_IF_ERROR(WidenParameters());
    RETURN_IF_ERROR(AddInputs(tensors));
    return std::move(values_);
  }

 private:
  // What is trained is float32.
  absl::Status WidenParameters() {
    for (const InputSpec& input : program_.inputs) {
      if (input.kind != InputKind::kParameter) continue;
      ASSIGN_OR_RETURN(const size_t index, Find(input));
      const DType dtype = stored_.tensors[index].stored_dtype;
      if (planner::IsFloatingPoint(dtype)) metadata_.Widen(dtype);
    }
    return absl::OkStatus();
  }

  absl::StatusOr<size_t> Find(const InputSpec& input) const {
    const bool is_weight = input.kind == InputKind::kParameter ||
                           (input.kind == InputKind::kBuffer && input.persistent);
    const auto& by_name = is_weight ? stored_.weights : stored_.constants;
    const auto index = by_name.find(input.stored_name);
    if (index != by_name.end()) return index->second;
    return absl::InvalidArgumentError(
        absl::StrCat("the archive has no bytes for ", data::Printable(input.stored_name),
                     ". Save it with torch.export.save of torch 2.9 or newer."));
  }

  absl::Status AddInputs(TensorNamesById& tensors) {
    for (const InputSpec& input : program_.inputs) {
      ASSIGN_OR_RETURN(CallOutput described, metadata_.Describe(program_.graph, input.name));
      TensorId tensor;
      if (input.kind == InputKind::kUser) {
        tensor = storages_.Add(graph_.AddInput(input.name, described.dtype, described.shape));
      } else {
        ASSIGN_OR_RETURN(tensor, AddStored(input, described));
      }
      if (!tensors.emplace(input.name, tensor).second) {
        return absl::InvalidArgumentError(absl::StrCat(
            "two inputs are called ", data::Printable(input.name), ". Export the model again."));
      }
    }
    return absl::OkStatus();
  }

  absl::StatusOr<TensorId> AddStored(const InputSpec& input, const CallOutput& described) {
    ASSIGN_OR_RETURN(const size_t index, Find(input));
    const StoredTensor& stored = stored_.tensors[index];
    if (Shape(stored.layout.sizes.begin(), stored.layout.sizes.end()) != described.shape ||
        metadata_.Widened(stored.stored_dtype) != described.dtype) {
      return absl::InvalidArgumentError(
          absl::StrCat("the tensor ", data::Printable(input.stored_name),
                       " has another shape or type in the archive's weights than in its graph. "
                       "Export the model again."));
    }
    const auto known = values_.tensor_of.find(index);
    if (known != values_.tensor_of.end()) return known->second;
    const ValueId value = AddValue(input, stored, described);
    values_.stored_of.emplace(value, index);
    return values_.tensor_of[index] = storages_.Add(value);
  }

  ValueId AddValue(const InputSpec& input, const StoredTensor& stored,
                   const CallOutput& described) {
    if (input.kind == InputKind::kParameter && planner::IsFloatingPoint(described.dtype)) {
      const ValueId value = graph_.AddParameter(input.stored_name, described.shape);
      if (!stored.requires_grad) graph_.Freeze(value);
      return value;
    }
    if (input.kind == InputKind::kParameter ||
        (input.kind == InputKind::kBuffer && input.persistent)) {
      return graph_.AddBuffer(input.stored_name, described.dtype, described.shape);
    }
    return graph_.AddConstant(input.stored_name, described.dtype, described.shape);
  }

  const Program& program_;
  const StoredTensors& stored_;
  Metadata& metadata_;
  Graph& graph_;
  Storages& storages_;
  StoredValues values_;
};

}  // namespace

absl::StatusOr<StoredValues> AddInputs(const Program& program, const StoredTensors& stored,
                                       Metadata& metadata, Graph& graph, Storages& storages,
                                       TensorNamesById& tensors) {
  return InputAdder(program, stored, metadata, graph, storages).Add(tensors);
}

absl::Status CheckWrites(const StoredTensors& stored, const StoredValues& values,
                         const Storages& storages) {
  for (const auto& [index, tensor] : values.tensor_of) {
    const std::string& name = stored.tensors[index].name();
    if (!storages.IsWritten(tensor) || absl::EndsWith(name, "num_batches_tracked")) continue;
    return absl::InvalidArgumentError(absl::StrCat(
        "the model writes to ", data::Printable(name),
        ", which is kept from step to step; only batch normalisation's own statistics can be. "
        "Write to a copy: x = x.clone()."));
  }
  return absl::OkStatus();
}

}  // namespace mantissa::models
