#include "tests/reference/micro.h"

#include <algorithm>
#include <map>
#include <memory>
#include <utility>

#include "ATen/core/Tensor.h"
#include "ATen/core/grad_mode.h"
#include "ATen/ops/scalar_tensor.h"
#include "ATen/ops/zeros.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "base/file.h"
#include "base/status.h"
#include "planner/graph/operators.h"
#include "server/data/npz.h"
#include "server/engine/graph_runner.h"
#include "server/engine/model_state.h"
#include "server/engine/optimizer.h"
#include "server/engine/torch_error.h"
#include "tests/reference/micro_probe.h"
#include "torch/csrc/autograd/autograd.h"

namespace mantissa::reference {
namespace {

using engine::RoundingSite;
using planner::NodeId;
using planner::TensorKind;
using planner::ValueId;

// Most elements of a kind that may differ near a tie: this share, and a few more.
constexpr double kNearShare = 1e-3;
constexpr int64_t kNearFew = 10;
// Buffers and weights after the step: sums in another order.
constexpr double kNearValues = 2e-6;

// Runs every operator forward and backward on recorded tensors.
class MicroCase {
 public:
  MicroCase(const Recording& recording, const RecordedRun& run, planner::Plan& plan,
            const Arrays& arrays)
      : recording_(recording),
        run_(run),
        plan_(plan),
        graph_(plan.graph),
        arrays_(arrays),
        probe_(plan.graph, arrays, run),
        rounder_(kernels::Rounding::kReference, /*seed=*/0),
        double_rounder_(kernels::Rounding::kReference, /*seed=*/0) {}

  absl::StatusOr<Verdict> Judge() {
    rounder_.set_probe(&probe_);
    ASSIGN_OR_RETURN(runner_, engine::GraphRunner::Create(graph_, plan_.tensors, &rounder_));
    runner_->SetFormats(plan_.assignment);
    ASSIGN_OR_RETURN(double_runner_,
                     engine::GraphRunner::Create(graph_, plan_.tensors, &double_rounder_));
    state_ = engine::EmptyState(graph_);
    RETURN_IF_ERROR(engine::LoadState(RealFileSystem(), JoinPath(recording_.folder, run_.init),
                                      graph_, state_));
    RoundParameters();
    BindBuffers();
    for (NodeId node = 0; node < static_cast<NodeId>(graph_.nodes().size()); ++node) {
      if (!planner::IsShapeOnly(graph_, graph_.node(node))) RunNode(node);
    }
    CompareBuffers();
    CompareUpdates();
    return Conclude();
  }

 private:
  const data::NpyArray& Array(const std::string& key) const {
    const auto found = arrays_.find(key);
    MANTISSA_CHECK(found != arrays_.end(), key, " was not recorded");
    return found->second;
  }

  RoundingSite SiteOf(TensorKind kind, ValueId value) const {
    return {.kind = kind, .value = value, .format = planner::FormatOf(plan_, kind, value)};
  }

  void RoundParameters() {
    for (size_t i = 0; i < graph_.parameters().size(); ++i) {
      const ValueId parameter = graph_.parameters()[i];
      RoundingSite site = SiteOf(TensorKind::kParameter, parameter);
      const at::Tensor rounded = at::zeros(state_.parameters[i].sizes(), at::kFloat);
      rounder_.RoundInto(site, state_.parameters[i], rounded);
      at::Tensor leaf = TensorOf(Array("theta/" + graph_.value(parameter).name));
      leaf = leaf.view(state_.parameters[i].sizes());
      leaf.set_requires_grad(true);
      leaves_.push_back(leaf);
      runner_->Bind(parameter, leaf);
      double_leaves_.push_back(DoubleLeaf(leaf));
      double_runner_->Bind(parameter, double_leaves_.back());
    }
    RoundingSite input = SiteOf(TensorKind::kActivation, graph_.inputs()[0]);
    const at::Tensor images = TensorOf(Array("input"));
    rounder_.RoundInto(input, images, at::zeros(images.sizes(), at::kFloat));
    const at::Tensor target = TensorOf(Array("target"));
    runner_->Bind(graph_.target(), target);
    double_runner_->Bind(graph_.target(), target);
  }

  void BindBuffers() {
    for (size_t i = 0; i < graph_.buffers().size(); ++i) {
      runner_->Bind(graph_.buffers()[i], state_.buffers[i]);
      double_runner_->Bind(graph_.buffers()[i], state_.buffers[i].to(at::kDouble));
    }
  }

  static at::Tensor DoubleLeaf(const at::Tensor& tensor) {
    at::Tensor leaf = tensor.detach().to(at::kDouble);
    leaf.set_requires_grad(tensor.requires_grad());
    return leaf;
  }

  // Binds a recorded v as a leaf, and runs the views through which `value` shows it.
  void BindRecorded(ValueId value) {
    const planner::Value& info = graph_.value(value);
    if (info.kind != planner::ValueKind::kComputed && info.kind != planner::ValueKind::kInput) {
      return;
    }
    const bool is_view = info.producer != planner::kNoNode &&
                         planner::IsShapeOnly(graph_, graph_.node(info.producer));
    if (is_view) {
      BindRecorded(info.alias_of);
      runner_->RunNode(info.producer, {});
      double_runner_->RunNode(info.producer, {.round = false});
      return;
    }
    at::Tensor leaf = TensorOf(Array("v/" + info.name));
    leaf.set_requires_grad(info.kind == planner::ValueKind::kComputed);
    runner_->Bind(value, leaf);
    double_runner_->Bind(value, DoubleLeaf(leaf));
  }

  // The gradient that reaches an operator's output: the sum of what its consumers gave.
  at::Tensor RecordedGradient(ValueId value, const at::Tensor& output) const {
    if (value == graph_.loss()) return at::scalar_tensor(run_.steps[0].scale, at::kFloat);
    at::Tensor sum;
    const std::string prefix = absl::StrCat("dv/", graph_.value(value).name, "@");
    for (auto it = arrays_.lower_bound(prefix);
         it != arrays_.end() && absl::StartsWith(it->first, prefix); ++it) {
      const at::Tensor gradient = TensorOf(it->second).view(output.sizes());
      sum = sum.defined() ? sum.add(gradient) : gradient;
    }
    MANTISSA_CHECK(sum.defined(), prefix, " was not recorded");
    return sum;
  }

  void RunNode(NodeId node) {
    for (const ValueId input : planner::TensorInputs(graph_, node)) BindRecorded(input);
    RunNodeInDouble(node);
    runner_->RunNode(node, {.training = true, .round = true});
    const ValueId value = graph_.node(node).outputs[0];
    const at::Tensor output = runner_->value(value);
    torch::autograd::backward({output}, {RecordedGradient(value, output.detach())});
    for (size_t i = 0; i < leaves_.size(); ++i) {
      const at::Tensor gradient = leaves_[i].grad();
      if (!gradient.defined()) continue;
      RoundingSite site = SiteOf(TensorKind::kParameterGradient, graph_.parameters()[i]);
      rounder_.RoundInto(site, gradient, gradient);
      leaves_[i].mutable_grad().reset();
    }
  }

  // Tells the probe what the operator and its gradients are in double precision.
  void RunNodeInDouble(NodeId node) {
    const ValueId value = graph_.node(node).outputs[0];
    const std::string& name = graph_.value(value).name;
    double_runner_->RunNode(node, {.training = true, .round = false});
    const at::Tensor output = double_runner_->value(value);
    probe_.SetExact("v/" + name, output.detach());
    const at::Tensor gradient = RecordedGradient(value, output.detach()).to(at::kDouble);
    torch::autograd::backward({output}, {gradient});
    int input = 0;
    for (const ValueId id : planner::TensorInputs(graph_, node)) {
      const int producer = plan_.tensors.FindProduced(id);
      const std::string suffix = absl::StrCat("@", name, ".", input++);
      if (producer < 0) continue;
      const planner::Tensor& tensor = plan_.tensors.tensors()[producer];
      at::Tensor exact = double_runner_->value(tensor.value).grad();
      if (graph_.node(node).op == "aten::log_softmax") {
        // The rule takes the rounded output.
        const at::Tensor rounded = TensorOf(Array("v/" + name)).to(at::kDouble);
        exact = gradient.sub(rounded.exp().mul(gradient.sum(1, /*keepdim=*/true)));
      }
      if (exact.defined()) probe_.SetExact(absl::StrCat("dv/", tensor.name, suffix), exact);
    }
    for (size_t i = 0; i < double_leaves_.size(); ++i) {
      const at::Tensor exact = double_leaves_[i].grad();
      if (!exact.defined()) continue;
      probe_.SetExact("dtheta/" + graph_.value(graph_.parameters()[i]).name, exact);
      double_leaves_[i].mutable_grad().reset();
    }
  }

  // Largest difference, relative to the largest value of the tensor.
  void CompareNear(const std::string& key, const at::Tensor& ours) {
    if (!arrays_.contains(key)) return;
    const at::Tensor recorded = TensorOf(Array(key)).view(ours.sizes());
    ++values_compared_;
    const double largest = std::max(recorded.abs().max().item<double>(), 1e-30);
    const double difference = ours.sub(recorded).abs().max().item<double>() / largest;
    largest_value_difference_ = std::max(largest_value_difference_, difference);
    if (!(difference <= kNearValues)) {
      failures_.push_back(absl::StrCat(key, " differs by ", difference));
    }
  }

  void CompareBuffers() {
    for (size_t i = 0; i < graph_.buffers().size(); ++i) {
      const planner::Value& buffer = graph_.value(graph_.buffers()[i]);
      if (!engine::CountsBatches(buffer)) {
        CompareNear("buffer_after/" + buffer.name, state_.buffers[i]);
      }
    }
  }

  // The optimizer, from the recorded gradients.
  void CompareUpdates() {
    const at::NoGradGuard no_grad;
    if (run_.steps[0].skipped) return;
    auto optimizer = engine::MakeOptimizer(
        {.momentum = run_.momentum, .weight_decay = run_.weight_decay}, state_.parameters);
    optimizer->BeginStep();
    for (size_t i = 0; i < state_.parameters.size(); ++i) {
      const std::string& name = graph_.value(graph_.parameters()[i]).name;
      at::Tensor& master = state_.parameters[i];
      const at::Tensor gradient =
          TensorOf(Array("dtheta/" + name)).view(master.sizes()).mul(1 / run_.steps[0].scale);
      optimizer->Update(i, master, gradient, run_.steps[0].learning_rate);
      CompareNear("master_after/" + name, master);
      CompareNear("momentum_after/" + name, (*optimizer->moments()[0].tensors)[i]);
    }
  }

  Verdict Conclude() {
    std::vector<std::string> cells;
    for (const auto& [kind, tally] : probe_.tallies()) {
      cells.push_back(absl::StrFormat("%s: %d elements, %d near ties, %d wrong", kind,
                                      tally.elements, tally.near_ties, tally.wrong));
      const double allowed = kNearFew + kNearShare * static_cast<double>(tally.elements);
      if (static_cast<double>(tally.near_ties) > allowed) {
        failures_.push_back(absl::StrCat(tally.near_ties, " near ties in ", kind, "; allowed are ",
                                         static_cast<int64_t>(allowed)));
      }
    }
    cells.push_back(absl::StrFormat("%d weights, momenta, buffers: within %.1e", values_compared_,
                                    largest_value_difference_));
    failures_.insert(failures_.end(), probe_.failures().begin(), probe_.failures().end());
    for (const auto& [key, array] : arrays_) {
      const bool rounded = absl::StartsWith(key, "v/") || absl::StartsWith(key, "dv/") ||
                           absl::StartsWith(key, "theta/");
      if (rounded && !probe_.seen().contains(key)) {
        failures_.push_back(absl::StrCat(key, " was not made"));
      }
    }
    cells.push_back(failures_.empty() ? "ok" : "DIFFERS");
    return {absl::StrCat(absl::StrFormat("%-24s | ", absl::StrCat("micro ", run_.name)),
                         absl::StrJoin(cells, " | ")),
            failures_};
  }

  const Recording& recording_;
  const RecordedRun& run_;
  planner::Plan& plan_;
  const planner::Graph& graph_;
  const Arrays& arrays_;
  MicroProbe probe_;
  engine::Rounder rounder_, double_rounder_;
  std::unique_ptr<engine::GraphRunner> runner_, double_runner_;
  engine::ModelState state_;
  std::vector<at::Tensor> leaves_, double_leaves_;  // by parameter
  std::vector<std::string> failures_;
  int values_compared_ = 0;
  double largest_value_difference_ = 0;
};

}  // namespace

absl::StatusOr<Verdict> JudgeMicro(const Recording& recording, const RecordedRun& run) {
  std::string archive = run.path.substr(0, run.path.size() - std::string(".json").size());
  ASSIGN_OR_RETURN(const Arrays arrays, data::ReadNpz(archive + ".npz", {}));
  ASSIGN_OR_RETURN(planner::Plan plan, PlanOf(run));
  return engine::CatchTorch(
      [&]() -> absl::StatusOr<Verdict> { return MicroCase(recording, run, plan, arrays).Judge(); });
}

}  // namespace mantissa::reference
