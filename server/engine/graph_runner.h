// Runs a planner::Graph forward and backward as its schedule says (planner/schedule), with values
// and gradients rounded where the paper says (rounding.h) and held in the bytes of their formats.
//
//   ASSIGN_OR_RETURN(auto runner, GraphRunner::Create(plan.graph, plan.tensors, &rounder, {}));
//   runner->SetFormats(plan.assignment.formats);
//   for (...) runner->Bind(parameter_or_buffer, tensor);
//   runner->BeginStep(step);
//   GraphRunner::Output output = runner->Forward({images}, labels, {.training = true});
//   runner->Backward(loss_scale);
//   PackedTensor gradient = runner->TakeGradient(0);   // of the first parameter, still scaled
//
// Between two tasks a tensor exists once, packed; a task unpacks a tile of its inputs, computes
// with it and packs the result before it takes the next tile. A value that no assignment rounds
// (integers, masks, tables made of them) stays as it is made.
//
// LibTorch's generator is seeded before each random operator, from the seed, the step and the node:
// what is random depends neither on what ran before nor on whether it runs forward, in a replay
// or once more.
//
// Throws what LibTorch throws, with the node's name (torch_error.h), and so does a node that makes
// something else than its graph says. Not thread-safe.
#ifndef MANTISSA_SERVER_ENGINE_GRAPH_RUNNER_H_
#define MANTISSA_SERVER_ENGINE_GRAPH_RUNNER_H_

#include <cstdint>
#include <memory>
#include <vector>

#include "ATen/core/Tensor.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "kernels/formats/format.h"
#include "planner/graph/graph.h"
#include "planner/graph/tensors.h"
#include "planner/schedule/schedule.h"
#include "planner/schedule/tiles.h"
#include "server/engine/memory_timeline.h"
#include "server/engine/operator_call.h"
#include "server/engine/packed_tensor.h"
#include "server/engine/rounding.h"
#include "server/engine/rounding_sites.h"
#include "server/engine/tile_operator.h"

namespace mantissa::engine {

struct RunnerOptions {
  Storage storage = Storage::kPacked;
  // What operators compute with; the loss is computed in float32.
  at::ScalarType wide = at::kFloat;
  int64_t tile_bytes = planner::TileOptions().tile_bytes;
  // Of random operators.
  uint64_t seed = 0;
  // By value, as planner::ScheduleOptions says.
  std::vector<bool> recompute;
  // Not owned; null: none. Told of every task.
  MemoryTimeline* timeline = nullptr;
};

struct RunMode {
  // Batch norm takes the batch's statistics and moves the running ones, and what Backward() needs
  // is kept.
  bool training = true;
  // v and dv are rounded, and so is theta.
  bool round_values = true, round_parameters = true;

  friend bool operator==(const RunMode&, const RunMode&) = default;
};

class GraphRunner {
 public:
  struct Output {
    // float32, of no dimension. To read it waits for a GPU.
    at::Tensor loss;            // in its format
    at::Tensor loss_unrounded;  // the same before it was rounded
    // What the model returns, as it is stored: in its format.
    PackedTensor result;
    at::Tensor Result() const { return result.Unpack(Tile{}, at::kFloat); }
  };

  // InvalidArgument names the node whose operator LibTorch does not know, or whose arguments do not
  // fit the operator's schema. `graph`, `tensors` and `rounder` must outlive the runner.
  // REQUIRES: the graph has a loss.
  static absl::StatusOr<std::unique_ptr<GraphRunner>> Create(const planner::Graph& graph,
                                                             const planner::TensorTable& tensors,
                                                             Rounder* rounder,
                                                             const RunnerOptions& options);

  // From the next run on. By index into the table of tensors.
  void SetFormats(const std::vector<kernels::Format>& formats);

  // The tensor that stands for a parameter (the float32 master), buffer or constant until it is
  // bound again.
  void Bind(planner::ValueId value, at::Tensor tensor) { bound_[value] = std::move(tensor); }

  // Random operators draw from `step`'s own numbers from now on.
  void BeginStep(int64_t step) { step_ = step; }

  // REQUIRES: parameters, buffers and constants are bound. `inputs` in the order of graph.inputs();
  // each is let go of once it is stored in its format. The batch size is theirs.
  Output Forward(std::vector<at::Tensor> inputs, const at::Tensor& target, RunMode mode);

  // From the gradient of the loss, a number. REQUIRES: comes after Forward() with `training`, once.
  void Backward(double loss_gradient);

  // Of all dtheta of the last Backward(), once rounded. Waits for a GPU; from here on the sites
  // have the counts of the run.
  bool GradientsAreFinite();
  // dtheta by index in graph.parameters(), in its format, still scaled by the loss's gradient;
  // undefined where there is none. The runner lets go of it.
  PackedTensor TakeGradient(size_t parameter);
  const PackedTensor& gradient(size_t parameter) const { return parameter_gradients_[parameter]; }
  void DropGradients();

  // Counts are of the last run.
  RoundingSites& sites() { return sites_; }

  // One node alone, for comparing operators one by one: forward and then backward, from values and
  // a gradient of its output that are taken as they are, in a training.
  // REQUIRES: v's and parameters that the node reads were set.
  void SetValue(planner::ValueId value, const at::Tensor& tensor);
  void RunNode(planner::NodeId node, const at::Tensor& gradient, int64_t batch_size);

 private:
  struct Step {
    std::unique_ptr<OperatorCall> call;
    std::unique_ptr<TileOperator> op;  // null: a view
    planner::Tiles tiles, input_gradient_tiles;
    Kept kept;
  };
  class NodeInputs;

  GraphRunner(const planner::Graph& graph, const planner::TensorTable& tensors, Rounder* rounder,
              const RunnerOptions& options);
  absl::Status Compile();
  // Formats, types and tiles of a run.
  void Prepare(int64_t batch_size, RunMode mode);
  void Clear();
  void RunTask(const planner::Task& task);
  void RoundParameter(planner::ValueId parameter, bool again);
  void Release(const planner::Task& task);

  // graph_runner_checks.cc
  int64_t BatchSizeOf(const std::vector<at::Tensor>& inputs, const at::Tensor& target) const;
  void CheckMade(planner::NodeId node, size_t output, const Tile& tile,
                 const at::Tensor& made) const;
  void CheckSizes(planner::ValueId value, at::IntArrayRef wanted, const at::Tensor& made) const;

  // graph_runner_forward.cc
  void RunForward(planner::NodeId node, bool again);
  void ForwardView(planner::NodeId node);
  // What a view shows of a tensor shaped as its input.
  at::Tensor ShownBy(planner::NodeId node, const at::Tensor& tensor) const;
  void StoreInputs(std::vector<at::Tensor> inputs);
  void StoreTile(planner::ValueId output, const Tile& tile, const at::Tensor& wide, bool again,
                 PackedTensor* stored);
  void ReadResult(planner::ValueId output);

  // graph_runner_backward.cc
  void RunBackward(planner::NodeId node);
  void BackwardTiles(planner::NodeId node);
  void BackwardView(planner::NodeId node);
  void AddGradient(planner::ValueId value, at::Tensor gradient);
  void FinishParameters(planner::NodeId node);

  std::vector<int64_t> SizesOf(planner::ValueId value) const;
  CallContext CallContextOf() const;
  // Before a tile of a random operator is computed.
  void Seed(planner::NodeId node, const Tile& tile) const;
  // In a type that rounding takes.
  static at::Tensor Roundable(const at::Tensor& wide);
  static std::vector<Tile> EachOf(const planner::Tiles& tiles);
  // What a node computes with.
  at::ScalarType TypeOf(planner::NodeId node) const;

  const planner::Graph& graph_;
  const planner::TensorTable& tensors_;
  Rounder* const rounder_;
  const RunnerOptions options_;
  const planner::Schedule training_, evaluation_;
  RoundingSites sites_;

  std::vector<Step> steps_;                     // by node
  std::vector<int> parameter_index_;            // by value; -1: no parameter
  std::vector<planner::NodeId> last_gradient_;  // by parameter: whose backward completes it
  std::vector<kernels::Format> formats_;        // by tensor

  RunMode mode_;
  int64_t batch_size_ = 0, step_ = 0;
  at::Device device_ = at::kCPU;
  bool prepared_ = false, probed_ = false;
  at::ScalarType wide_ = at::kFloat;
  std::vector<at::Tensor> bound_;                     // by value
  std::vector<PackedTensor> values_;                  // by value: v, views, rounded theta
  std::vector<std::vector<PackedTensor>> gradients_;  // by value: a part a consumer
  std::vector<at::Tensor> wide_gradients_;         // by parameter, until all consumers have added
  std::vector<PackedTensor> parameter_gradients_;  // by parameter
  Output output_;
};

}  // namespace mantissa::engine

#endif  // MANTISSA_SERVER_ENGINE_GRAPH_RUNNER_H_
