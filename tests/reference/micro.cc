#include "tests/reference/micro.h"

#include <algorithm>
#include <map>
#include <memory>
#include <utility>

#include "ATen/core/Tensor.h"
#include "ATen/core/grad_mode.h"
#include "ATen/ops/scalar_tensor.h"
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
#include "server/engine/operator_call.h"
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
        rounder_(kernels::Rounding::kReference, /*seed=*/0) {}

  absl::StatusOr<Verdict> Judge() {
    rounder_.set_probe(&probe_);
    ASSIGN_OR_RETURN(runner_, engine::GraphRunner::Create(graph_, plan_.tensors, &rounder_, {}));
    runner_->SetFormats(plan_.assignment.formats);
    for (const planner::Node& node : graph_.nodes()) {
      ASSIGN_OR_RETURN(engine::OperatorCall call, engine::OperatorCall::Resolve(node));
      calls_.push_back(std::move(call));
    }
    state_ = engine::EmptyState(graph_);
    RETURN_IF_ERROR(engine::LoadState(RealFileSystem(), JoinPath(recording_.folder, run_.init),
                                      graph_, state_));
    BindParameters();
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

  // Rounds a tensor for the probe to see.
  void Round(TensorKind kind, ValueId value, const at::Tensor& tensor) {
    RoundingSite site = {
        .kind = kind, .value = value, .format = planner::FormatOf(plan_, kind, value)};
    engine::PackedTensor rounded;
    rounder_.Store(site, engine::Tile{}, tensor, tensor.sizes(), engine::Storage::kPacked,
                   planner::MemoryKind::kWeights, &rounded);
  }

  void BindParameters() {
    for (size_t i = 0; i < graph_.parameters().size(); ++i) {
      const ValueId parameter = graph_.parameters()[i];
      Round(TensorKind::kParameter, parameter, state_.parameters[i]);
      const at::Tensor recorded = TensorOf(Array("theta/" + graph_.value(parameter).name))
                                      .view(state_.parameters[i].sizes());
      runner_->SetValue(parameter, recorded);
      exact_[parameter] = DoubleLeaf(recorded, /*requires_grad=*/true);
    }
    const at::Tensor images = TensorOf(Array("input"));
    batch_size_ = images.size(0);
    Round(TensorKind::kActivation, graph_.inputs()[0], images);
    exact_[graph_.target()] = TensorOf(Array("target"));
    runner_->Bind(graph_.target(), exact_[graph_.target()]);
  }

  void BindBuffers() {
    for (size_t i = 0; i < graph_.buffers().size(); ++i) {
      runner_->Bind(graph_.buffers()[i], state_.buffers[i]);
      exact_[graph_.buffers()[i]] = state_.buffers[i].to(at::kDouble);
    }
  }

  static at::Tensor DoubleLeaf(const at::Tensor& tensor, bool requires_grad) {
    at::Tensor leaf = tensor.to(at::kDouble);
    leaf.set_requires_grad(requires_grad);
    return leaf;
  }

  // Sets a recorded v, and in double precision the views through which `value` shows it.
  void SetRecorded(ValueId value) {
    const planner::Value& info = graph_.value(value);
    if (info.kind != planner::ValueKind::kComputed && info.kind != planner::ValueKind::kInput) {
      return;
    }
    const bool is_view = info.producer != planner::kNoNode &&
                         planner::IsShapeOnly(graph_, graph_.node(info.producer));
    if (is_view) {
      SetRecorded(info.alias_of);
      exact_[value] = CallInDouble(info.producer);
      return;
    }
    const at::Tensor recorded = TensorOf(Array("v/" + info.name));
    runner_->SetValue(value, recorded);
    exact_[value] = DoubleLeaf(recorded, info.kind == planner::ValueKind::kComputed);
  }

  // The gradient that reaches an operator's output: the sum of what its consumers gave.
  at::Tensor RecordedGradient(ValueId value, at::IntArrayRef sizes) const {
    if (value == graph_.loss()) return at::scalar_tensor(run_.steps[0].scale, at::kFloat);
    at::Tensor sum;
    const std::string prefix = absl::StrCat("dv/", graph_.value(value).name, "@");
    for (auto it = arrays_.lower_bound(prefix);
         it != arrays_.end() && absl::StartsWith(it->first, prefix); ++it) {
      const at::Tensor gradient = TensorOf(it->second).view(sizes);
      sum = sum.defined() ? sum.add(gradient) : gradient;
    }
    MANTISSA_CHECK(sum.defined(), prefix, " was not recorded");
    return sum;
  }

  void RunNode(NodeId node) {
    for (const ValueId input : planner::TensorInputs(graph_, node)) SetRecorded(input);
    const at::Tensor gradient = RunNodeInDouble(node);
    runner_->RunNode(node, gradient, batch_size_);
  }

  // Tells the probe what the operator and its gradients are in double precision; the gradient that
  // reaches its output.
  at::Tensor RunNodeInDouble(NodeId node) {
    const ValueId value = graph_.node(node).outputs[0];
    const std::string& name = graph_.value(value).name;
    const at::Tensor output = CallInDouble(node);
    probe_.SetExact("v/" + name, output.detach());
    const at::Tensor given = RecordedGradient(value, output.sizes());
    const at::Tensor gradient = given.to(at::kDouble);
    torch::autograd::backward({output}, {gradient});
    int input = 0;
    for (const ValueId id : planner::TensorInputs(graph_, node)) {
      const int producer = plan_.tensors.FindProduced(id);
      const std::string suffix = absl::StrCat("@", name, ".", input++);
      if (producer < 0) continue;
      const planner::Tensor& tensor = plan_.tensors.tensors()[producer];
      at::Tensor exact = exact_[tensor.value].grad();
      if (graph_.node(node).op == "aten::log_softmax") {
        // The rule takes the rounded output.
        const at::Tensor rounded = TensorOf(Array("v/" + name)).to(at::kDouble);
        exact = gradient.sub(rounded.exp().mul(gradient.sum(1, /*keepdim=*/true)));
      }
      if (exact.defined()) probe_.SetExact(absl::StrCat("dv/", tensor.name, suffix), exact);
    }
    for (const ValueId parameter : graph_.parameters()) {
      at::Tensor& exact = exact_[parameter].mutable_grad();
      if (!exact.defined()) continue;
      probe_.SetExact("dtheta/" + graph_.value(parameter).name, exact);
      exact.reset();
    }
    return given;
  }

  at::Tensor CallInDouble(NodeId node) {
    std::vector<at::Tensor> tensors;
    for (const ValueId value : calls_[node].tensors()) tensors.push_back(exact_[value]);
    return calls_[node].Call(std::move(tensors), {.batch_size = batch_size_})[0];
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
      CompareNear("momentum_after/" + name, optimizer->moments()[0].tensor(i));
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
  engine::Rounder rounder_;
  std::unique_ptr<engine::GraphRunner> runner_;
  engine::ModelState state_;
  int64_t batch_size_ = 0;
  std::vector<engine::OperatorCall> calls_;  // by node
  std::map<ValueId, at::Tensor> exact_;      // in double precision, under autograd
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
