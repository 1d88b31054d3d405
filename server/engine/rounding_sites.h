// Every place of a graph where something is rounded, with its format and its random numbers.
//
//   RoundingSites sites(graph, tensors);
//   sites.SetFormats(plan.assignment.formats);
//   rounder.Store(*sites.activation(value), ...);
//
// Streams are numbered by place in the graph, so equal graphs round alike. Sites do not move.
#ifndef MANTISSA_SERVER_ENGINE_ROUNDING_SITES_H_
#define MANTISSA_SERVER_ENGINE_ROUNDING_SITES_H_

#include <cstdint>
#include <memory>
#include <vector>

#include "ATen/core/Tensor.h"
#include "kernels/formats/format.h"
#include "planner/graph/graph.h"
#include "planner/graph/tensors.h"
#include "server/engine/rounding.h"

namespace mantissa::engine {

class RoundingSites {
 public:
  // All formats are fp32.
  RoundingSites(const planner::Graph& graph, const planner::TensorTable& tensors);

  // Counts in memory of the device from now on, so that nothing waits for a GPU: what was counted
  // is zero after ClearCounts() and in the sites after FetchCounts(), which waits. Without it the
  // sites themselves are counted in, and both do nothing.
  void CountOn(const at::Device& device);
  void ClearCounts();
  void FetchCounts();
  // A site like the given one whose counts nobody reads.
  RoundingSite Uncounted(const RoundingSite& site) const;

  // `formats` by index into the table of tensors.
  void SetFormats(const std::vector<kernels::Format>& formats);

  // Null where the value is no v.
  RoundingSite* activation(planner::ValueId value) { return activations_[value].get(); }
  // Of the gradient that a node computes for one of its tensor arguments (planner::TensorInputs);
  // null where no v is behind the argument.
  RoundingSite* gradient(planner::NodeId node, size_t input) {
    return input < gradients_[node].size() ? gradients_[node][input].get() : nullptr;
  }
  // By index in graph.parameters().
  RoundingSite& parameter(size_t index) { return *parameters_[index]; }
  RoundingSite& parameter_gradient(size_t index) { return *parameter_gradients_[index]; }

  // Of every v, the input's first, then in execution order.
  const std::vector<const RoundingSite*>& activations() const { return activation_list_; }
  // Of every theta, by index.
  const std::vector<std::unique_ptr<RoundingSite>>& parameters() const { return parameters_; }

 private:
  std::unique_ptr<RoundingSite> Make(planner::TensorKind kind, planner::ValueId value);
  void AddActivation(planner::ValueId value);
  std::vector<RoundingSite*> All();
  void AddGradients(planner::NodeId node);

  const planner::Graph& graph_;
  const planner::TensorTable& tensors_;
  uint64_t count_ = 0;
  std::vector<std::unique_ptr<RoundingSite>> activations_;             // by value
  std::vector<std::vector<std::unique_ptr<RoundingSite>>> gradients_;  // by node, input
  std::vector<std::unique_ptr<RoundingSite>> parameters_, parameter_gradients_;
  std::vector<const RoundingSite*> activation_list_;
  kernels::RoundCounts* discarded_ = nullptr;
  at::Tensor counts_;  // [sites + 1, 3], int64; the last row is of what nobody reads
};

}  // namespace mantissa::engine

#endif  // MANTISSA_SERVER_ENGINE_ROUNDING_SITES_H_
