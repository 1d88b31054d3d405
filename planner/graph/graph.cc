#include "planner/graph/graph.h"

#include <utility>

#include "absl/strings/str_cat.h"

namespace mantissa::planner {

int64_t BytesOf(DType dtype) {
  switch (dtype) {
    case DType::kFloat64:
    case DType::kInt64:
      return 8;
    case DType::kFloat32:
    case DType::kInt32:
      return 4;
    case DType::kFloat16:
    case DType::kBFloat16:
      return 2;
    case DType::kUInt8:
    case DType::kBool:
      return 1;
  }
  return 1;
}

int64_t Elements(const Shape& shape, int64_t batch_size) {
  int64_t elements = 1;
  for (const Dim& dim : shape) elements *= dim.At(batch_size);
  return elements;
}

std::vector<int64_t> SizesAt(const Shape& shape, int64_t batch_size) {
  std::vector<int64_t> sizes;
  for (const Dim& dim : shape) sizes.push_back(dim.At(batch_size));
  return sizes;
}

double ApproximateElements(const Shape& shape, int64_t batch_size) {
  double elements = 1;
  for (const Dim& dim : shape) {
    elements *= static_cast<double>(dim.factor);
    if (dim.times_batch) elements *= static_cast<double>(batch_size);
  }
  return elements;
}

ValueId Graph::AddValue(Value value) {
  values_.push_back(std::move(value));
  return static_cast<ValueId>(values_.size()) - 1;
}

ValueId Graph::AddInput(std::string name, DType dtype, Shape shape) {
  const ValueId id = AddValue({.name = std::move(name),
                               .kind = ValueKind::kInput,
                               .dtype = dtype,
                               .shape = std::move(shape)});
  inputs_.push_back(id);
  return id;
}

ValueId Graph::AddTarget(std::string name, DType dtype, Shape shape) {
  target_ = AddValue({.name = std::move(name),
                      .kind = ValueKind::kTarget,
                      .dtype = dtype,
                      .shape = std::move(shape)});
  return target_;
}

ValueId Graph::AddParameter(std::string name, Shape shape) {
  const ValueId id =
      AddValue({.name = std::move(name), .kind = ValueKind::kParameter, .shape = std::move(shape)});
  parameters_.push_back(id);
  return id;
}

ValueId Graph::AddBuffer(std::string name, DType dtype, Shape shape) {
  const ValueId id = AddValue({.name = std::move(name),
                               .kind = ValueKind::kBuffer,
                               .dtype = dtype,
                               .shape = std::move(shape)});
  buffers_.push_back(id);
  return id;
}

ValueId Graph::AddConstant(std::string name, DType dtype, Shape shape) {
  const ValueId id = AddValue({.name = std::move(name),
                               .kind = ValueKind::kConstant,
                               .dtype = dtype,
                               .shape = std::move(shape)});
  constants_.push_back(id);
  return id;
}

ValueId Graph::AddNode(Node node, DType dtype, Shape shape, ValueId alias_of) {
  return AddNode(std::move(node), {Output{dtype, std::move(shape), alias_of}})[0];
}

std::vector<ValueId> Graph::AddNode(Node node, std::vector<std::optional<Output>> outputs) {
  node.outputs.clear();
  for (size_t i = 0; i < outputs.size(); ++i) {
    if (!outputs[i].has_value()) {
      node.outputs.push_back(kNoValue);
      continue;
    }
    node.outputs.push_back(
        AddValue({.name = outputs.size() == 1 ? node.name : absl::StrCat(node.name, ".", i),
                  .kind = ValueKind::kComputed,
                  .dtype = outputs[i]->dtype,
                  .shape = std::move(outputs[i]->shape),
                  .producer = static_cast<NodeId>(nodes_.size()),
                  .alias_of = outputs[i]->alias_of}));
  }
  nodes_.push_back(std::move(node));
  return nodes_.back().outputs;
}

void AppendValues(const Argument& argument, std::vector<ValueId>& values) {
  if (const auto* ref = std::get_if<ValueRef>(&argument.value)) {
    if (ref->id != kNoValue) values.push_back(ref->id);
  } else if (const auto* refs = std::get_if<std::vector<ValueRef>>(&argument.value)) {
    for (const ValueRef& element : *refs) {
      if (element.id != kNoValue) values.push_back(element.id);
    }
  }
}

std::vector<ValueId> TensorInputs(const Graph& graph, NodeId node) {
  std::vector<ValueId> inputs;
  for (const Argument& argument : graph.node(node).args) AppendValues(argument, inputs);
  return inputs;
}

}  // namespace mantissa::planner
