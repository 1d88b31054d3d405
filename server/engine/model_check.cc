#include "server/engine/model_check.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "ATen/core/Tensor.h"
#include "ATen/core/grad_mode.h"
#include "ATen/ops/ones_like.h"
#include "ATen/ops/rand.h"
#include "ATen/ops/zeros.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "base/status.h"
#include "c10/util/Exception.h"
#include "planner/graph/gradient.h"
#include "planner/graph/operators.h"
#include "server/engine/archive_state.h"
#include "server/engine/model_state.h"
#include "server/engine/operator_call.h"
#include "server/engine/operator_seed.h"
#include "server/engine/torch_error.h"
#include "torch/csrc/autograd/autograd.h"

namespace mantissa::engine {
namespace {

using planner::kNoValue;
using planner::NodeId;
using planner::ValueId;

// Some operators take a single sample for none.
constexpr int64_t kSamples = 2;

std::string Text(const at::Tensor& tensor) {
  return absl::StrCat(c10::toString(tensor.scalar_type()), "[",
                      absl::StrJoin(tensor.sizes().begin(), tensor.sizes().end(), ", "), "]");
}

absl::Status CheckBytes(const planner::Graph& graph, int64_t max_bytes) {
  double bytes = 0;  // an int64 could overflow
  for (const planner::Value& value : graph.values()) {
    bytes += planner::ApproximateElements(value.shape, kSamples) *
             static_cast<double>(planner::BytesOf(value.dtype));
  }
  if (bytes <= static_cast<double>(max_bytes)) return absl::OkStatus();
  return absl::ResourceExhaustedError(
      absl::StrCat("the model's tensors take ", static_cast<int64_t>(bytes / (1 << 20)),
                   " MiB for ", kSamples, " samples; to check a model at most ",
                   max_bytes / (1 << 20), " MiB are allowed. Export it with smaller inputs."));
}

class ModelCheck {
 public:
  ModelCheck(const planner::Graph& graph, const ModelState& state)
      : graph_(graph),
        needs_gradient_(planner::NeedsGradient(graph)),
        values_(graph.values().size()),
        last_use_(graph.values().size(), planner::kNoNode) {
    for (size_t i = 0; i < state.parameters.size(); ++i) {
      values_[graph.parameters()[i]] = state.parameters[i];
    }
    // Statistics move.
    for (size_t i = 0; i < state.buffers.size(); ++i) {
      values_[graph.buffers()[i]] = state.buffers[i].clone();
    }
    for (size_t i = 0; i < state.constants.size(); ++i) {
      values_[graph.constants()[i]] = state.constants[i];
    }
    for (NodeId node = 0; node < static_cast<NodeId>(graph.nodes().size()); ++node) {
      for (const ValueId value : planner::TensorInputs(graph, node)) last_use_[value] = node;
    }
  }

  absl::Status Run() {
    RETURN_IF_ERROR(Resolve());
    SeedOperators(at::kCPU, /*seed=*/0);
    for (const ValueId input : graph_.inputs()) {
      const planner::Value& value = graph_.value(input);
      const at::TensorOptions options(ScalarTypeOf(value.dtype));
      // Zero is in every range of indices.
      values_[input] = planner::IsFloatingPoint(value.dtype) ? at::rand(SizesOf(input), options)
                                                             : at::zeros(SizesOf(input), options);
    }
    for (NodeId node = 0; node < static_cast<NodeId>(graph_.nodes().size()); ++node) {
      RETURN_IF_ERROR(RunNode(node));
      for (const ValueId value : planner::TensorInputs(graph_, node)) {
        if (last_use_[value] == node) values_[value].reset();
      }
    }
    return absl::OkStatus();
  }

 private:
  absl::Status Resolve() {
    std::set<std::string> unknown;
    absl::Status first;
    for (const planner::Node& node : graph_.nodes()) {
      absl::StatusOr<OperatorCall> call = OperatorCall::Resolve(node);
      if (call.ok()) {
        calls_.push_back(std::make_unique<OperatorCall>(*std::move(call)));
        continue;
      }
      if (first.ok()) first = call.status();
      if (c10::Dispatcher::singleton().findSchema({node.op, node.overload}).has_value()) continue;
      unknown.insert(absl::StrCat(node.op, node.overload.empty() ? "" : ".", node.overload));
    }
    if (unknown.empty()) return first;
    return absl::InvalidArgumentError(
        absl::StrCat("LibTorch has no operator ", absl::StrJoin(unknown, ", "),
                     ". Operators of other packages can't be run: export the model without them."));
  }

  std::vector<int64_t> SizesOf(ValueId value) const {
    return planner::SizesAt(graph_.value(value).shape, kSamples);
  }

  absl::Status Fail(NodeId node, absl::string_view why) const {
    return absl::InvalidArgumentError(
        absl::StrCat("node ", graph_.node(node).name, " (", graph_.node(node).op, "): ", why));
  }

  absl::Status RunNode(NodeId node) {
    try {
      return Differentiate(node);
    } catch (const c10::OutOfMemoryError&) {
      return StatusOfCurrentException();
    } catch (const c10::Error& error) {
      const absl::Status status = StatusOfCurrentException();
      if (absl::IsResourceExhausted(status)) return status;
      // What follows the first line is about LibTorch's insides.
      const std::string what = error.what_without_backtrace();
      return Fail(node, *absl::StrSplit(what, '\n').begin());
    }
  }

  // Leaves what the node makes in values_.
  absl::Status Differentiate(NodeId node) {
    const at::AutoGradMode with_autograd(true);
    const OperatorCall& call = *calls_[node];
    std::vector<at::Tensor> arguments;
    torch::autograd::variable_list leaves;
    for (const ValueId value : call.tensors()) {
      at::Tensor tensor = values_[value].detach();
      if (needs_gradient_[value]) leaves.push_back(tensor.set_requires_grad(true));
      const bool is_changed = arguments.empty() && call.handle().schema().is_mutable();
      arguments.push_back(is_changed ? tensor.clone() : tensor);
    }
    const std::vector<at::Tensor> made = call.Call(
        std::move(arguments), {.training = true, .batch_size = kSamples, .device = at::kCPU});
    torch::autograd::variable_list outputs, gradients;
    const std::vector<ValueId>& values = graph_.node(node).outputs;
    for (size_t i = 0; i < values.size(); ++i) {
      if (values[i] == kNoValue) continue;
      RETURN_IF_ERROR(CheckMade(node, values[i], i < made.size() ? made[i] : at::Tensor()));
      values_[values[i]] = made[i].detach();
      if (!needs_gradient_[values[i]]) continue;
      if (!made[i].requires_grad()) return Fail(node, "LibTorch has no derivative for it");
      outputs.push_back(made[i]);
      gradients.push_back(at::ones_like(values_[values[i]]));
    }
    if (outputs.empty()) return absl::OkStatus();
    torch::autograd::grad(outputs, leaves, gradients, /*retain_graph=*/std::nullopt,
                          /*create_graph=*/false, /*allow_unused=*/true);
    return absl::OkStatus();
  }

  absl::Status CheckMade(NodeId node, ValueId value, const at::Tensor& made) const {
    const std::vector<int64_t> sizes = SizesOf(value);
    const at::ScalarType type = ScalarTypeOf(graph_.value(value).dtype);
    if (made.defined() && made.sizes() == sizes && made.scalar_type() == type) {
      return absl::OkStatus();
    }
    return Fail(node, absl::StrCat("it makes ", made.defined() ? Text(made) : "no tensor", " for ",
                                   kSamples, " samples; the archive says ", c10::toString(type),
                                   "[", absl::StrJoin(sizes, ", "),
                                   "]. Export the model with a batch dimension that is dynamic."));
  }

  const planner::Graph& graph_;
  const std::vector<bool> needs_gradient_;
  std::vector<std::unique_ptr<OperatorCall>> calls_;  // by node
  std::vector<at::Tensor> values_;                    // by value, while they are read
  std::vector<NodeId> last_use_;                      // by value
};

}  // namespace

absl::Status CheckModel(const models::Archive& archive, const ModelCheckOptions& options) {
  RETURN_IF_ERROR(CheckBytes(archive.graph, options.max_bytes));
  const absl::StatusOr<bool> result = CatchTorch([&]() -> absl::StatusOr<bool> {
    ASSIGN_OR_RETURN(const ModelState state, ArchiveState(archive));
    RETURN_IF_ERROR(ModelCheck(archive.graph, state).Run());
    return true;
  });
  return result.status();
}

}  // namespace mantissa::engine
