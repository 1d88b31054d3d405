#include "server/engine/rounding_sites.h"

#include <utility>

#include "ATen/ops/zeros.h"
#include "planner/graph/operators.h"

namespace mantissa::engine {

using planner::NodeId;
using planner::TensorKind;
using planner::ValueId;

namespace {

// Far from the numbers of v and dv.
constexpr uint64_t kParameterStreams = uint64_t{1} << 22;

}  // namespace

RoundingSites::RoundingSites(const planner::Graph& graph, const planner::TensorTable& tensors)
    : graph_(graph),
      tensors_(tensors),
      activations_(graph.values().size()),
      gradients_(graph.nodes().size()) {
  for (const ValueId input : graph.inputs()) AddActivation(input);
  for (NodeId id = 0; id < static_cast<NodeId>(graph.nodes().size()); ++id) {
    const planner::Node& node = graph.node(id);
    if (planner::IsShapeOnly(graph, node)) continue;
    for (const ValueId output : node.outputs) AddActivation(output);
    AddGradients(id);
  }
  for (size_t i = 0; i < graph.parameters().size(); ++i) {
    for (const auto& [kind, sites] : {std::pair(TensorKind::kParameter, &parameters_),
                                      {TensorKind::kParameterGradient, &parameter_gradients_}}) {
      sites->push_back(Make(kind, graph.parameters()[i]));
      sites->back()->stream = kParameterStreams + 2 * i + (sites == &parameters_ ? 0 : 1);
    }
  }
}

std::unique_ptr<RoundingSite> RoundingSites::Make(TensorKind kind, ValueId value) {
  auto site = std::make_unique<RoundingSite>();
  site->kind = kind;
  site->value = value;
  return site;
}

void RoundingSites::AddActivation(ValueId value) {
  if (tensors_.Find(TensorKind::kActivation, value) < 0) return;
  activations_[value] = Make(TensorKind::kActivation, value);
  activations_[value]->stream = count_++;
  activation_list_.push_back(activations_[value].get());
}

void RoundingSites::AddGradients(NodeId node) {
  for (const ValueId input : planner::TensorInputs(graph_, node)) {
    const int producer = tensors_.FindProduced(input);
    std::unique_ptr<RoundingSite> site;
    if (producer >= 0) {
      site = Make(TensorKind::kActivationGradient, tensors_.tensors()[producer].value);
      site->stream = count_++;
      site->consumer = node;
      site->consumer_input = static_cast<int>(gradients_[node].size());
    }
    gradients_[node].push_back(std::move(site));
  }
}

std::vector<RoundingSite*> RoundingSites::All() {
  std::vector<RoundingSite*> all;
  const auto add = [&](const std::vector<std::unique_ptr<RoundingSite>>& sites) {
    for (const auto& site : sites) {
      if (site != nullptr) all.push_back(site.get());
    }
  };
  add(activations_);
  for (const auto& node : gradients_) add(node);
  add(parameters_);
  add(parameter_gradients_);
  return all;
}

void RoundingSites::CountOn(const at::Device& device) {
  if (counts_.defined() && counts_.device() == device) return;
  const std::vector<RoundingSite*> all = All();
  static_assert(sizeof(kernels::RoundCounts) == 3 * sizeof(int64_t));
  counts_ = at::zeros({static_cast<int64_t>(all.size()) + 1, 3},
                      at::TensorOptions(at::kLong).device(device));
  auto* const rows = static_cast<kernels::RoundCounts*>(counts_.mutable_data_ptr());
  for (size_t i = 0; i < all.size(); ++i) all[i]->device_counts = rows + i;
  discarded_ = rows + all.size();
}

void RoundingSites::ClearCounts() {
  if (counts_.defined()) counts_.zero_();
}

void RoundingSites::FetchCounts() {
  if (!counts_.defined()) return;
  const at::Tensor host = counts_.cpu();
  const std::vector<RoundingSite*> all = All();
  const auto* const rows = static_cast<const kernels::RoundCounts*>(host.const_data_ptr());
  for (size_t i = 0; i < all.size(); ++i) all[i]->counts = rows[i];
}

RoundingSite RoundingSites::Uncounted(const RoundingSite& site) const {
  RoundingSite copy = site;
  copy.device_counts = discarded_;
  return copy;
}

void RoundingSites::SetFormats(const std::vector<kernels::Format>& formats) {
  const auto set = [&](RoundingSite* site) {
    if (site == nullptr) return;
    // A parameter that no operator reads has no tensor; it stays as it is.
    const int tensor = tensors_.Find(site->kind, site->value);
    site->format = tensor < 0 ? kernels::kFp32 : formats[tensor];
  };
  for (const auto& site : activations_) set(site.get());
  for (const auto& node : gradients_) {
    for (const auto& site : node) set(site.get());
  }
  for (const auto& site : parameters_) set(site.get());
  for (const auto& site : parameter_gradients_) set(site.get());
}

}  // namespace mantissa::engine
