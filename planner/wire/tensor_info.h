// planner/wire/tensor_info.h
//
// Values of a graph as ModelService tells of them.
//
//   *response.add_inputs() = TensorInfoOf(graph.value(graph.inputs()[0]));
//
// Pure, thread-safe.

#ifndef MANTISSA_PLANNER_WIRE_TENSOR_INFO_H_
#define MANTISSA_PLANNER_WIRE_TENSOR_INFO_H_

#include <vector>

#include "mantissa/v1/model.pb.h"
#include "planner/graph/graph.h"

namespace mantissa::planner {

// Of no group.
v1::TensorInfo TensorInfoOf(const Value& value);

// Fills in what a model's graph tells: inputs, outputs, elements of its parameters. `outputs` are
// values of the graph.
void DescribeUpload(const Graph& graph, const std::vector<ValueId>& outputs, v1::Model& model);

}  // namespace mantissa::planner

#endif  // MANTISSA_PLANNER_WIRE_TENSOR_INFO_H_
