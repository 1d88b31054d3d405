#include "server/engine/graph_runner.h"

#include <utility>
#include <variant>

#include "absl/strings/str_cat.h"
#include "base/status.h"
#include "planner/graph/operators.h"

namespace mantissa::engine {

using planner::kNoValue;
using planner::NodeId;
using planner::TensorKind;
using planner::ValueId;

absl::StatusOr<std::unique_ptr<GraphRunner>> GraphRunner::Create(
    const planner::Graph& graph, const planner::TensorTable& tensors, Rounder* rounder) {
  if (graph.inputs().size() != 1 || graph.loss() == kNoValue) {
    return absl::InvalidArgumentError(absl::StrCat("graph ", graph.name(), " has ",
                                                   graph.inputs().size(),
                                                   " inputs; needed is one, and a loss"));
  }
  std::unique_ptr<GraphRunner> runner(new GraphRunner(graph, tensors, rounder));
  RETURN_IF_ERROR(runner->Compile());
  return runner;
}

GraphRunner::GraphRunner(const planner::Graph& graph, const planner::TensorTable& tensors,
                         Rounder* rounder)
    : graph_(graph),
      tensors_(tensors),
      rounder_(rounder),
      activations_(graph.values().size()),
      values_(graph.values().size()) {}

std::unique_ptr<RoundingSite> GraphRunner::MakeSite(TensorKind kind, ValueId value) {
  auto site = std::make_unique<RoundingSite>();
  site->kind = kind;
  site->value = value;
  site->stream = site_count_++;
  return site;
}

absl::Status GraphRunner::Compile() {
  const auto add_activation = [this](ValueId value) {
    if (tensors_.Find(TensorKind::kActivation, value) < 0) return;
    activations_[value] = MakeSite(TensorKind::kActivation, value);
    activation_list_.push_back(activations_[value].get());
  };
  add_activation(graph_.inputs()[0]);
  for (NodeId id = 0; id < static_cast<NodeId>(graph_.nodes().size()); ++id) {
    const planner::Node& node = graph_.node(id);
    ASSIGN_OR_RETURN(OperatorCall call, OperatorCall::Resolve(graph_, node));
    Step step{.call = std::move(call)};
    if (!planner::IsShapeOnly(graph_, node)) {
      for (const ValueId output : node.outputs) add_activation(output);
      CompileGradientSites(id, step);
    }
    if (node.op == "aten::relu" || node.op == "aten::relu_") {
      step.special = Step::Special::kRelu;
    } else if (node.op == "aten::log_softmax" || node.op == "aten::_log_softmax") {
      step.special = Step::Special::kLogSoftmax;
      step.log_softmax_dim = std::get<int64_t>(*planner::FindArgument(node, "dim"));
    }
    steps_.push_back(std::move(step));
  }
  CompileLifetimes();
  return absl::OkStatus();
}

void GraphRunner::CompileGradientSites(NodeId node, Step& step) {
  for (const ValueId input : step.call.tensors()) {
    const int producer = tensors_.FindProduced(input);
    std::unique_ptr<RoundingSite> site;
    if (producer >= 0) {
      site = MakeSite(TensorKind::kActivationGradient, tensors_.tensors()[producer].value);
      site->consumer = node;
      site->consumer_input = static_cast<int>(step.gradients.size());
    }
    step.gradients.push_back(std::move(site));
  }
}

void GraphRunner::CompileLifetimes() {
  std::vector<NodeId> last_user(graph_.values().size(), planner::kNoNode);
  for (NodeId id = 0; id < static_cast<NodeId>(graph_.nodes().size()); ++id) {
    for (const ValueId output : graph_.node(id).outputs) {
      if (output != kNoValue) last_user[output] = id;
    }
    for (const ValueId input : planner::TensorInputs(graph_, id)) last_user[input] = id;
  }
  for (ValueId value = 0; value < static_cast<ValueId>(last_user.size()); ++value) {
    const bool computed = graph_.value(value).kind == planner::ValueKind::kComputed;
    const bool input = value == graph_.inputs()[0];
    const bool result = value == graph_.output() || value == graph_.loss();
    if ((computed || input) && !result && last_user[value] != planner::kNoNode) {
      steps_[last_user[value]].last_used.push_back(value);
    }
  }
}

void GraphRunner::SetFormats(const planner::Assignment& assignment) {
  const auto set = [&](RoundingSite* site) {
    if (site == nullptr) return;
    const int tensor = tensors_.Find(site->kind, site->value);
    site->format = assignment.formats[tensor];
  };
  for (const auto& site : activations_) set(site.get());
  for (const Step& step : steps_) {
    for (const auto& site : step.gradients) set(site.get());
  }
}

void GraphRunner::Bind(ValueId value, at::Tensor tensor) { values_[value] = std::move(tensor); }

at::Tensor GraphRunner::value(ValueId value) const {
  return values_[value].isTensor() ? values_[value].toTensor() : at::Tensor();
}

at::Tensor GraphRunner::RoundOutput(ValueId output, at::Tensor tensor, RunMode mode) {
  RoundingSite* const site = activations_[output].get();
  if (output == graph_.loss()) loss_unrounded_ = tensor.item<double>();
  if (site == nullptr || !mode.round) return tensor;
  return RoundActivation(*rounder_, *site, std::move(tensor));
}

// The operator's tensors, those under autograd with their gradients rounded.
std::vector<c10::IValue> GraphRunner::GatherTensors(const Step& step, RunMode mode) {
  std::vector<c10::IValue> tensors;
  tensors.reserve(step.call.tensors().size());
  for (size_t i = 0; i < step.call.tensors().size(); ++i) {
    const c10::IValue& value = values_[step.call.tensors()[i]];
    RoundingSite* const site =
        mode.round && i < step.gradients.size() ? step.gradients[i].get() : nullptr;
    tensors.push_back(site == nullptr ? value : RoundGradient(*rounder_, *site, value.toTensor()));
  }
  return tensors;
}

// Operators whose gradient needs to know the rounding of their output.
void GraphRunner::RunSpecial(NodeId node, Step& step, RunMode mode) {
  const ValueId output = graph_.node(node).outputs[0];
  RoundingSite& site = *activations_[output];
  const at::Tensor x = GatherTensors(step, mode)[0].toTensor();
  values_[output] = step.special == Step::Special::kRelu
                        ? RoundedRelu(*rounder_, site, x)
                        : RoundedLogSoftmax(*rounder_, site, x, step.log_softmax_dim);
}

void GraphRunner::RunNode(NodeId node, RunMode mode) {
  Step& step = steps_[node];
  const std::vector<ValueId>& outputs = graph_.node(node).outputs;
  RoundingSite* const first = outputs.empty() ? nullptr : activations_[outputs[0]].get();
  if (step.special != Step::Special::kNone && mode.round && first != nullptr &&
      rounder_->Touches(*first)) {
    RunSpecial(node, step, mode);
    return;
  }
  std::vector<c10::IValue> stack = step.call.Arguments(GatherTensors(step, mode), mode.training);
  step.call.handle().callBoxed(stack);
  for (size_t i = 0; i < outputs.size() && i < stack.size(); ++i) {
    if (outputs[i] == kNoValue) continue;
    if (stack[i].isTensor()) {
      // Moved, so that rounding sees that nobody else holds the tensor.
      values_[outputs[i]] = RoundOutput(outputs[i], std::move(stack[i]).toTensor(), mode);
    } else {
      values_[outputs[i]] = std::move(stack[i]);
    }
  }
}

GraphRunner::Output GraphRunner::Run(const at::Tensor& images, const at::Tensor& labels,
                                     RunMode mode) {
  const ValueId input = graph_.inputs()[0];
  RoundingSite* const site = activations_[input].get();
  // The caller's tensor is not overwritten: it holds it.
  values_[input] =
      mode.round && site != nullptr ? RoundActivation(*rounder_, *site, images) : images;
  values_[graph_.target()] = labels;
  for (NodeId node = 0; node < static_cast<NodeId>(steps_.size()); ++node) {
    RunNode(node, mode);
    for (const ValueId value : steps_[node].last_used) values_[value] = c10::IValue();
  }
  Output output{.loss = std::exchange(values_[graph_.loss()], c10::IValue()).toTensor(),
                .loss_unrounded = loss_unrounded_,
                .logits = std::exchange(values_[graph_.output()], c10::IValue()).toTensor()};
  return output;
}

}  // namespace mantissa::engine
