#include "planner/wire/tensor_info.h"

#include <cstdint>

#include "planner/wire/graph_proto.h"

namespace mantissa::planner {

v1::TensorInfo TensorInfoOf(const Value& value) {
  v1::TensorInfo info;
  info.set_name(value.name);
  info.set_data_type(DataTypeToProto(value.dtype));
  for (const Dim& dim : value.shape) {
    v1::Dimension& added = *info.add_shape();
    added.set_size(dim.factor);
    added.set_times_batch(dim.times_batch);
  }
  info.set_elements(Elements(value.shape, 1));
  info.set_frozen(value.frozen);
  info.set_group(-1);
  return info;
}

void DescribeUpload(const Graph& graph, const std::vector<ValueId>& outputs, v1::Model& model) {
  for (const ValueId input : graph.inputs()) {
    *model.add_inputs() = TensorInfoOf(graph.value(input));
  }
  for (const ValueId output : outputs) *model.add_outputs() = TensorInfoOf(graph.value(output));
  int64_t elements = 0;
  for (const ValueId parameter : graph.parameters()) {
    elements += Elements(graph.value(parameter).shape, 1);
  }
  model.set_parameter_elements(elements);
}

}  // namespace mantissa::planner
