// The tensors of a model beside its graph: the fp32 master weights and buffers (running
// statistics), which a training changes, and constants; how they start and are kept in files.
//
//   ASSIGN_OR_RETURN(ModelState state, InitialState(graph, model_options, seed));
//   RETURN_IF_ERROR(LoadState(files, "init.safetensors", graph, state));
//   RETURN_IF_ERROR(SaveState(files, "weights.safetensors", graph, state));
#ifndef MANTISSA_SERVER_ENGINE_MODEL_STATE_H_
#define MANTISSA_SERVER_ENGINE_MODEL_STATE_H_

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "ATen/core/Tensor.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "base/file.h"
#include "planner/graph/graph.h"
#include "planner/models/models.h"
#include "server/data/safetensors.h"

namespace mantissa::engine {

struct ModelState {
  std::vector<at::Tensor> parameters;  // by index in graph.parameters(); float32, dense
  std::vector<at::Tensor> buffers;     // by index in graph.buffers(), of their dtypes
  std::vector<at::Tensor> constants;   // by index in graph.constants(), of their dtypes
  // Moving averages of the parameters, by the same index; empty: none. A frozen one is the
  // parameter itself.
  std::vector<at::Tensor> averages;
  // Tied weights: the other names that a parameter or buffer has in the model's state dict.
  std::map<std::string, std::vector<std::string>> other_names;
  // What the model's state dict has besides, which nothing reads: kept as it is.
  std::vector<std::pair<std::string, at::Tensor>> unused;
};

// Begins averages with the parameters as they are.
void AverageFrom(const planner::Graph& graph, ModelState& state);

// Zeros, but for variances, which are one.
ModelState EmptyState(const planner::Graph& graph);

// Moves everything to the device; what has none of its memory there is copied.
void MoveState(const at::Device& device, ModelState& state);

// The model's own initialisation (planner::InitializersOf); equal for equal seeds.
absl::StatusOr<ModelState> InitialState(const planner::Graph& graph,
                                        const planner::ModelOptions& model, uint64_t seed);

// Replaces parameters and buffers of `state` by those of a .safetensors file. InvalidArgument names
// a tensor that is missing, unknown to the graph, or of another shape or dtype. A buffer that
// counts batches may be missing: nothing is computed from it. Of tied weights only the graph's name
// counts.
absl::Status LoadState(FileSystem& files, absl::string_view path, const planner::Graph& graph,
                       ModelState& state);

// Writes parameters and buffers under their names in the graph, and under their other names,
// and what is unused.
absl::Status SaveState(FileSystem& files, absl::string_view path, const planner::Graph& graph,
                       const ModelState& state);

// Whether the buffer counts the batches that a batch norm has seen.
bool CountsBatches(const planner::Value& buffer);

// A tensor as a file takes it; shares its memory. REQUIRES: in host memory, dense; of a dtype that
// graphs have.
data::SafetensorsTensor AsFileTensor(std::string name, const at::Tensor& tensor);

// Reads one tensor of a file into `tensor`, which has the shape and dtype that are needed, wherever
// it is.
absl::Status ReadFileTensor(const data::Safetensors& file, const std::string& name,
                            const at::Tensor& tensor);

}  // namespace mantissa::engine

#endif  // MANTISSA_SERVER_ENGINE_MODEL_STATE_H_
