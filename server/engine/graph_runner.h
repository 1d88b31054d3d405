// Runs a planner::Graph on LibTorch: each node through the dispatcher by its operator's name, under
// autograd, with values and gradients rounded where the paper says (rounding.h).
//
//   ASSIGN_OR_RETURN(auto runner, GraphRunner::Create(plan.graph, plan.tensors, &rounder));
//   runner->SetFormats(plan.assignment);
//   for (ValueId p : plan.graph.parameters()) runner->Bind(p, rounded_parameter);
//   for (ValueId b : plan.graph.buffers()) runner->Bind(b, buffer);
//   GraphRunner::Output output = runner->Run(images, labels, {.training = true, .round = true});
//   torch::autograd::backward({output.loss}, {scale});
//
// Operators and their arguments are looked up once, in Create(). Run() lets go of every value after
// its last use. Run() throws what LibTorch throws (torch_error.h). Not thread-safe.
#ifndef MANTISSA_SERVER_ENGINE_GRAPH_RUNNER_H_
#define MANTISSA_SERVER_ENGINE_GRAPH_RUNNER_H_

#include <memory>
#include <vector>

#include "ATen/core/Tensor.h"
#include "ATen/core/ivalue.h"
#include "absl/status/statusor.h"
#include "planner/graph/graph.h"
#include "planner/graph/tensors.h"
#include "planner/policies/policy.h"
#include "server/engine/operator_call.h"
#include "server/engine/rounding.h"

namespace mantissa::engine {

struct RunMode {
  // Batch norm takes the batch's statistics and moves the running ones.
  bool training = true;
  // v and dv are rounded.
  bool round = true;
};

class GraphRunner {
 public:
  struct Output {
    at::Tensor loss;            // one number, in its format
    double loss_unrounded = 0;  // the same before it was rounded
    at::Tensor logits;          // what the model returns, rounded, under autograd
  };

  // InvalidArgument names the node whose operator LibTorch does not know, or whose arguments do not
  // fit the operator's schema. `graph`, `tensors` and `rounder` must outlive the runner.
  // REQUIRES: the graph has one input and a loss.
  static absl::StatusOr<std::unique_ptr<GraphRunner>> Create(const planner::Graph& graph,
                                                             const planner::TensorTable& tensors,
                                                             Rounder* rounder);

  // From the next run on. `assignment` is indexed as the table of tensors.
  void SetFormats(const planner::Assignment& assignment);

  // The tensor that stands for an input, parameter or buffer until it is bound again.
  void Bind(planner::ValueId value, at::Tensor tensor);
  // What is bound or was computed; undefined after a run's last use of it.
  at::Tensor value(planner::ValueId value) const;

  // All nodes in order. REQUIRES: parameters and buffers are bound.
  Output Run(const at::Tensor& images, const at::Tensor& labels, RunMode mode);

  // One node on what is bound, for comparing operators one by one; value() of its outputs stays.
  // REQUIRES: its arguments are bound or were run.
  void RunNode(planner::NodeId node, RunMode mode);

  // Rounding sites of every v that a run makes, the input's among them, in execution order. Their
  // counts are of the last run.
  const std::vector<const RoundingSite*>& activation_sites() const { return activation_list_; }

 private:
  struct Step {
    OperatorCall call;
    // What it is instead of a call where its output is rounded.
    enum class Special { kNone, kRelu, kLogSoftmax } special = Special::kNone;
    int64_t log_softmax_dim = 0;
    // By tensor argument; null where its gradient is not rounded.
    std::vector<std::unique_ptr<RoundingSite>> gradients;
    std::vector<planner::ValueId> last_used;
  };

  GraphRunner(const planner::Graph& graph, const planner::TensorTable& tensors, Rounder* rounder);
  absl::Status Compile();
  void CompileGradientSites(planner::NodeId node, Step& step);
  void CompileLifetimes();
  std::unique_ptr<RoundingSite> MakeSite(planner::TensorKind kind, planner::ValueId value);
  std::vector<c10::IValue> GatherTensors(const Step& step, RunMode mode);
  void RunSpecial(planner::NodeId node, Step& step, RunMode mode);
  at::Tensor RoundOutput(planner::ValueId output, at::Tensor tensor, RunMode mode);

  const planner::Graph& graph_;
  const planner::TensorTable& tensors_;
  Rounder* const rounder_;
  std::vector<Step> steps_;                                 // by node
  std::vector<std::unique_ptr<RoundingSite>> activations_;  // by value; null where it is no v
  std::vector<const RoundingSite*> activation_list_;
  uint64_t site_count_ = 0;
  std::vector<c10::IValue> values_;  // by value
  double loss_unrounded_ = 0;
};

}  // namespace mantissa::engine

#endif  // MANTISSA_SERVER_ENGINE_GRAPH_RUNNER_H_
