#include "planner/wire/model_proto.h"

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "base/status.h"
#include "planner/graph/graph.h"
#include "planner/graph/loss.h"
#include "planner/graph/operators.h"
#include "planner/graph/tensors.h"

namespace mantissa::planner {
namespace {

constexpr absl::string_view kBuiltin = "builtin:";
constexpr int64_t kDefaultInputShape[] = {3, 32, 32};
constexpr int kDescribedClasses = 10;

v1::Model ModelToProto(const ModelInfo& info) {
  v1::Model model;
  model.set_name(absl::StrCat(kBuiltin, info.name));
  model.set_summary(info.summary);
  model.mutable_widths()->Add(info.widths.begin(), info.widths.end());
  model.set_min_input_size(info.min_input_size);
  return model;
}

// "builtin:resnet18" to the model. Without the prefix there is no such model.
absl::StatusOr<const ModelInfo*> FindInfo(absl::string_view name) {
  if (!absl::ConsumePrefix(&name, kBuiltin)) {
    return absl::NotFoundError(absl::StrCat("there is no model \"", name, "\"; names start with ",
                                            kBuiltin, ". Use for instance ", kBuiltin,
                                            "resnet18."));
  }
  return FindBuiltinModel(name);
}

v1::OperatorInfo OperatorToProto(const Graph& graph, const TensorTable& tensors, NodeId id) {
  const Node& node = graph.node(id);
  const ValueId output = node.outputs[0];
  v1::OperatorInfo info;
  info.set_name(node.name);
  info.set_op(node.op);
  const int v = tensors.Find(TensorKind::kActivation, output);
  info.set_group(v < 0 ? -1 : tensors.tensors()[v].group);
  info.set_output_elements_per_sample(Elements(graph.value(output).shape, 1));
  int64_t parameter_elements = 0;
  for (const ValueId input : TensorInputs(graph, id)) {
    const Value& value = graph.value(input);
    if (value.kind == ValueKind::kParameter) {
      info.add_parameters(value.name);
      parameter_elements += Elements(value.shape, 1);
    } else if (value.kind == ValueKind::kComputed || value.kind == ValueKind::kInput) {
      info.add_inputs(value.name);
    }
  }
  info.set_parameter_elements(parameter_elements);
  return info;
}

}  // namespace

absl::StatusOr<v1::ModelSpec> NormalizeModel(const v1::ModelSpec& spec) {
  RETURN_IF_ERROR(FindInfo(spec.model()).status());
  v1::ModelSpec filled = spec;
  if (spec.width() == 0) filled.set_width(1.0);
  if (spec.input_shape().empty()) {
    filled.mutable_input_shape()->Add(std::begin(kDefaultInputShape), std::end(kDefaultInputShape));
  }
  return filled;
}

ModelOptions ModelOptionsOf(const v1::ModelSpec& spec) {
  return {.name = spec.model().substr(kBuiltin.size()),
          .width = spec.width(),
          .classes = spec.classes(),
          .input_shape = {spec.input_shape().begin(), spec.input_shape().end()}};
}

v1::ListModelsResponse ListBuiltinModels() {
  v1::ListModelsResponse response;
  for (const ModelInfo& info : BuiltinModels()) *response.add_models() = ModelToProto(info);
  return response;
}

absl::StatusOr<v1::GetModelResponse> DescribeModel(const v1::ModelSpec& spec) {
  ASSIGN_OR_RETURN(v1::ModelSpec filled, NormalizeModel(spec));
  if (filled.classes() == 0) filled.set_classes(kDescribedClasses);
  ASSIGN_OR_RETURN(Graph graph, BuildModel(ModelOptionsOf(filled)));
  MANTISSA_CHECK_OK(AttachLoss(graph, {}));
  const TensorTable tensors(graph);
  v1::GetModelResponse response;
  ASSIGN_OR_RETURN(const ModelInfo* info, FindInfo(spec.model()));
  *response.mutable_model() = ModelToProto(*info);
  for (NodeId id = 0; id < static_cast<NodeId>(graph.nodes().size()); ++id) {
    *response.add_operators() = OperatorToProto(graph, tensors, id);
  }
  int64_t parameter_elements = 0;
  for (const ValueId parameter : graph.parameters()) {
    parameter_elements += Elements(graph.value(parameter).shape, 1);
  }
  response.set_parameter_elements(parameter_elements);
  *response.mutable_spec() = filled;
  return response;
}

}  // namespace mantissa::planner
