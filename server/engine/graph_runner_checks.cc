// What GraphRunner is given and what its nodes make, against what the graph says.

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "c10/util/Exception.h"
#include "server/engine/graph_runner.h"

namespace mantissa::engine {

using planner::NodeId;
using planner::ValueId;

namespace {

std::string Text(at::IntArrayRef sizes) {
  return absl::StrCat("[", absl::StrJoin(sizes.begin(), sizes.end(), ", "), "]");
}

// Of one tensor; 0 where its shape does not depend on the batch.
int64_t BatchSizeOf(const planner::Value& value, const at::Tensor& tensor) {
  for (size_t i = 0; i < value.shape.size() && i < static_cast<size_t>(tensor.dim()); ++i) {
    if (value.shape[i].times_batch) return tensor.size(i) / value.shape[i].factor;
  }
  return 0;
}

}  // namespace

int64_t GraphRunner::BatchSizeOf(const std::vector<at::Tensor>& inputs,
                                 const at::Tensor& target) const {
  TORCH_CHECK(inputs.size() == graph_.inputs().size(), "model ", graph_.name(), " has ",
              graph_.inputs().size(), " inputs; given were ", inputs.size());
  std::vector<std::pair<ValueId, at::Tensor>> given = {{graph_.target(), target}};
  for (size_t i = 0; i < inputs.size(); ++i) given.emplace_back(graph_.inputs()[i], inputs[i]);
  int64_t batch_size = 0;
  for (const auto& [value, tensor] : given) {
    if (batch_size == 0) batch_size = engine::BatchSizeOf(graph_.value(value), tensor);
  }
  for (const auto& [id, tensor] : given) {
    const planner::Value& value = graph_.value(id);
    const std::vector<int64_t> wanted = planner::SizesAt(value.shape, batch_size);
    TORCH_CHECK(tensor.sizes() == wanted && tensor.scalar_type() == ScalarTypeOf(value.dtype),
                value.name, " is ", tensor.scalar_type(), Text(tensor.sizes()),
                "; the model takes ", ScalarTypeOf(value.dtype), Text(wanted));
  }
  return batch_size == 0 ? 1 : batch_size;
}

void GraphRunner::CheckMade(NodeId node, size_t output, const Tile& tile,
                            const at::Tensor& made) const {
  const ValueId value = graph_.node(node).outputs[output];
  TORCH_CHECK(made.defined(), graph_.value(value).name, " was not made");
  CheckSizes(value, TileSizes(SizesOf(value), tile), made);
  // Of floating-point numbers the recipe has its say.
  const at::ScalarType type = ScalarTypeOf(graph_.value(value).dtype);
  const bool fits =
      made.scalar_type() == type || (made.is_floating_point() && at::isFloatingType(type));
  TORCH_CHECK(fits, "it makes ", made.scalar_type(), "; the graph says ", type);
}

void GraphRunner::CheckSizes(ValueId value, at::IntArrayRef wanted, const at::Tensor& made) const {
  TORCH_CHECK(made.sizes() == wanted, "it makes ", Text(made.sizes()), " for ",
              graph_.value(value).name, "; the graph says ", Text(wanted), " for a batch of ",
              batch_size_);
}

}  // namespace mantissa::engine
