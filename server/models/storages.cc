#include "server/models/storages.h"

#include <utility>
#include <variant>

#include "absl/strings/str_cat.h"
#include "base/status.h"
#include "server/models/call.h"

namespace mantissa::models {
namespace {

using planner::Argument;
using planner::Value;
using planner::ValueId;
using planner::ValueRef;

std::vector<Argument> WithSelf(ValueId self, const std::vector<Argument>& args) {
  std::vector<Argument> all = {{"self", ValueRef{self}}};
  all.insert(all.end(), args.begin(), args.end());
  return all;
}

// The permutation that undoes `dims`; empty where they are none.
std::vector<int64_t> Inverse(const std::vector<Argument>& args) {
  const auto* dims = args.empty() ? nullptr : std::get_if<std::vector<int64_t>>(&args[0].value);
  if (dims == nullptr) return {};
  const auto rank = static_cast<int64_t>(dims->size());
  std::vector<int64_t> inverse(rank, -1);
  for (int64_t i = 0; i < rank; ++i) {
    const int64_t dim = (*dims)[i] < 0 ? (*dims)[i] + rank : (*dims)[i];
    if (dim < 0 || dim >= rank || inverse[dim] >= 0) return {};
    inverse[dim] = i;
  }
  return inverse;
}

}  // namespace

TensorId Storages::Add(ValueId value) {
  tensors_.push_back({.storage = static_cast<int>(versions_.size()), .value = value});
  versions_.push_back(0);
  return static_cast<TensorId>(tensors_.size()) - 1;
}

absl::StatusOr<TensorId> Storages::AddView(TensorId of, ViewStep step, ValueId value) {
  const Tensor& above = tensors_[of];
  if (above.depth >= limits_.view_depth) {
    return absl::ResourceExhaustedError(
        absl::StrCat("it is a view of a view more than ", limits_.view_depth, " times, the limit"));
  }
  tensors_.push_back({.storage = above.storage,
                      .above = of,
                      .step = std::move(step),
                      .value = value,
                      .version = versions_[above.storage],
                      .depth = above.depth + 1});
  return static_cast<TensorId>(tensors_.size()) - 1;
}

ValueId Storages::Read(TensorId id) {
  std::vector<TensorId> stale;
  while (!IsFresh(tensors_[id])) {
    stale.push_back(id);
    id = tensors_[id].above;
  }
  ValueId value = tensors_[id].value;
  for (auto it = stale.rbegin(); it != stale.rend(); ++it) {
    Tensor& view = tensors_[*it];
    const Value& before = emitter_.graph().value(view.value);
    value = emitter_.Emit(view.step.op, view.step.overload, WithSelf(value, view.step.args),
                          before.dtype, before.shape);
    view.value = value;
    view.version = versions_[view.storage];
  }
  return value;
}

absl::StatusOr<ValueId> Storages::Undo(const Tensor& view, ValueId value) {
  // A copy: what is emitted moves the values.
  const Value above = emitter_.graph().value(tensors_[view.above].value);
  switch (view.step.kind) {
    case ViewKind::kReshape:
      return emitter_.Emit("aten::reshape", "",
                           {{"self", ValueRef{value}}, {"shape", SizesArgument(above.shape)}},
                           above.dtype, above.shape);
    case ViewKind::kPermute: {
      std::vector<int64_t> dims = Inverse(view.step.args);
      if (dims.empty()) break;
      return emitter_.Emit("aten::permute", "",
                           {{"self", ValueRef{value}}, {"dims", std::move(dims)}}, above.dtype,
                           above.shape);
    }
    case ViewKind::kTranspose:
      return emitter_.Emit(view.step.op, view.step.overload, WithSelf(value, view.step.args),
                           above.dtype, above.shape);
    case ViewKind::kSlice:
    case ViewKind::kSelect: {
      std::vector<Argument> args = WithSelf(Read(view.above), view.step.args);
      args.insert(args.begin() + 1, {"src", ValueRef{value}});
      return emitter_.Emit(
          view.step.kind == ViewKind::kSlice ? "aten::slice_scatter" : "aten::select_scatter", "",
          std::move(args), above.dtype, above.shape);
    }
    case ViewKind::kOther:
      break;
  }
  return absl::InvalidArgumentError(
      absl::StrCat("it writes to a tensor that ", view.step.op,
                   " shows; only what reshaping, permuting, slicing and selecting show can be "
                   "written to. Write to a copy: x = x.clone()."));
}

absl::Status Storages::Write(TensorId id, ValueId value) {
  std::vector<std::pair<TensorId, ValueId>> written = {{id, value}};
  while (tensors_[id].above >= 0) {
    ASSIGN_OR_RETURN(value, Undo(tensors_[id], value));
    id = tensors_[id].above;
    written.push_back({id, value});
  }
  const int version = ++versions_[tensors_[id].storage];
  for (const auto& [tensor, now] : written) {
    tensors_[tensor].value = now;
    tensors_[tensor].version = version;
  }
  return absl::OkStatus();
}

}  // namespace mantissa::models
