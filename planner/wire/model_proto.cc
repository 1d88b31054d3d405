#include "planner/wire/model_proto.h"

#include <algorithm>
#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "base/status.h"
#include "planner/graph/freeze.h"
#include "planner/graph/graph.h"
#include "planner/graph/operator_table.h"
#include "planner/graph/tensors.h"
#include "planner/wire/tensor_info.h"

namespace mantissa::planner {
namespace {

constexpr absl::string_view kBuiltin = "builtin:";

v1::Model ModelToProto(const ModelInfo& info) {
  v1::Model model;
  model.set_name(absl::StrCat(kBuiltin, info.name));
  model.set_summary(info.summary);
  model.mutable_widths()->Add(info.widths.begin(), info.widths.end());
  model.set_min_input_size(info.min_input_size);
  model.set_source(v1::MODEL_SOURCE_BUILTIN);
  model.mutable_default_input_shape()->Add(info.default_input_shape.begin(),
                                           info.default_input_shape.end());
  model.set_default_classes(static_cast<int32_t>(info.default_classes));
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

// Of the operator that makes a value, or of what the model takes.
std::string SourceName(const Graph& graph, const Value& value) {
  return value.producer == kNoNode ? value.name : graph.node(value.producer).name;
}

void AddReads(const Graph& graph, NodeId id, v1::OperatorInfo& info) {
  int64_t parameter_elements = 0;
  for (const ValueId input : TensorInputs(graph, id)) {
    const Value& value = graph.value(input);
    if (value.kind == ValueKind::kParameter) {
      info.add_parameters(value.name);
      parameter_elements += Elements(value.shape, 1);
    } else if (value.kind == ValueKind::kComputed || value.kind == ValueKind::kInput) {
      info.add_inputs(SourceName(graph, value));
    }
  }
  info.set_parameter_elements(parameter_elements);
}

int GroupOf(const TensorTable& tensors, TensorKind kind, ValueId value) {
  const int index = tensors.Find(kind, value);
  return index < 0 ? -1 : tensors.tensors()[index].group;
}

v1::OperatorInfo OperatorToProto(const Graph& graph, const TensorTable& tensors, NodeId id) {
  const Node& node = graph.node(id);
  v1::OperatorInfo info;
  info.set_name(node.name);
  info.set_op(node.op);
  info.set_group(-1);
  int64_t elements = 0;
  for (const ValueId output : node.outputs) {
    if (output == kNoValue) continue;
    v1::TensorInfo& made = *info.add_outputs();
    made = TensorInfoOf(graph.value(output));
    made.set_group(GroupOf(tensors, TensorKind::kActivation, output));
    info.set_group(std::max(info.group(), made.group()));
    elements += made.elements();
  }
  info.set_output_elements_per_sample(elements);
  AddReads(graph, id, info);
  info.set_unknown(!TraitsOf(node.op).known);
  return info;
}

void AddTensors(const Graph& graph, const TensorTable& tensors, v1::GetModelResponse& response) {
  int64_t elements = 0;
  for (const ValueId id : graph.parameters()) {
    v1::TensorInfo& parameter = *response.add_parameters();
    parameter = TensorInfoOf(graph.value(id));
    parameter.set_group(GroupOf(tensors, TensorKind::kParameter, id));
    if (!parameter.frozen()) elements += parameter.elements();
  }
  response.set_parameter_elements(elements);
  for (const ValueId id : graph.buffers()) {
    *response.add_buffers() = TensorInfoOf(graph.value(id));
  }
  for (const ValueId id : graph.constants()) {
    *response.add_constants() = TensorInfoOf(graph.value(id));
  }
  for (const ValueId id : graph.inputs()) *response.add_inputs() = TensorInfoOf(graph.value(id));
  *response.add_outputs() = TensorInfoOf(graph.value(graph.output()));
}

// Of the output of an uploaded model, should it be logits: the dimension of the classes by rank.
int64_t ClassesOf(const Graph& graph) {
  const Shape& shape = graph.value(graph.output()).shape;
  if (shape.size() < 2 || shape.size() > 4) return 0;
  const Dim& classes = shape[ClassDimension(graph)];
  return classes.times_batch || classes.factor > INT32_MAX ? 0 : classes.factor;
}

std::vector<int64_t> SampleShapeOf(const Graph& graph) {
  std::vector<int64_t> sizes;
  if (graph.inputs().empty()) return sizes;
  const Shape& shape = graph.value(graph.inputs()[0]).shape;
  for (size_t i = 1; i < shape.size(); ++i) sizes.push_back(shape[i].factor);
  return sizes;
}

absl::StatusOr<v1::ModelSpec> NormalizeUploaded(const v1::ModelSpec& spec, const Graph& graph) {
  if (spec.width() != 0) {
    return InvalidField("width", absl::StrCat(spec.width()), "none with an uploaded model",
                        "Leave it out.");
  }
  const auto classes = static_cast<int32_t>(ClassesOf(graph));
  if (spec.classes() != 0 && spec.classes() != classes) {
    return InvalidField("classes", absl::StrCat(spec.classes()),
                        absl::StrCat(classes, ", as the uploaded model has"), "Leave it out.");
  }
  const std::vector<int64_t> sizes = SampleShapeOf(graph);
  if (!spec.input_shape().empty() &&
      !std::equal(spec.input_shape().begin(), spec.input_shape().end(), sizes.begin(),
                  sizes.end())) {
    return InvalidField("input_shape", absl::StrJoin(spec.input_shape(), "x"),
                        absl::StrCat(absl::StrJoin(sizes, "x"), ", as the uploaded model has"),
                        "Leave it out.");
  }
  v1::ModelSpec filled = spec;
  filled.set_classes(classes);
  filled.mutable_input_shape()->Assign(sizes.begin(), sizes.end());
  return filled;
}

absl::StatusOr<Graph> GraphOf(const v1::ModelSpec& spec, const Graph* uploaded) {
  ASSIGN_OR_RETURN(Graph graph, uploaded != nullptr ? absl::StatusOr<Graph>(*uploaded)
                                                    : BuildModel(ModelOptionsOf(spec)));
  RETURN_IF_ERROR(FreezeParameters({spec.freeze().begin(), spec.freeze().end()}, graph));
  return graph;
}

// Returns the loss that was attached.
absl::StatusOr<v1::Loss> Attach(v1::Loss loss, Graph& graph) {
  const bool chosen = loss != v1::LOSS_UNSPECIFIED;
  if (!chosen) loss = v1::LOSS_CROSS_ENTROPY;
  const absl::Status status = AttachLoss(graph, {.kind = LossKindOf(loss)});
  if (status.ok()) return loss;
  if (chosen) return status;
  RETURN_IF_ERROR(AttachLoss(graph, {.kind = LossKind::kMse}));
  return v1::LOSS_MSE;
}

}  // namespace

bool IsBuiltinName(absl::string_view name) { return absl::StartsWith(name, kBuiltin); }

LossKind LossKindOf(v1::Loss loss) {
  switch (loss) {
    case v1::LOSS_NLL:
      return LossKind::kNll;
    case v1::LOSS_MSE:
      return LossKind::kMse;
    case v1::LOSS_BCE:
      return LossKind::kBce;
    default:
      return LossKind::kCrossEntropy;
  }
}

absl::StatusOr<v1::ModelSpec> NormalizeModel(const v1::ModelSpec& spec, const Graph* uploaded) {
  if (uploaded != nullptr) return NormalizeUploaded(spec, *uploaded);
  ASSIGN_OR_RETURN(const ModelInfo* info, FindInfo(spec.model()));
  v1::ModelSpec filled = spec;
  if (spec.width() == 0) filled.set_width(1.0);
  if (spec.input_shape().empty()) {
    filled.mutable_input_shape()->Assign(info->default_input_shape.begin(),
                                         info->default_input_shape.end());
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

absl::StatusOr<v1::GetModelResponse> DescribeModel(const v1::ModelSpec& spec, v1::Loss loss,
                                                   const Graph* uploaded) {
  v1::GetModelResponse response;
  ASSIGN_OR_RETURN(v1::ModelSpec filled, NormalizeModel(spec, uploaded));
  if (uploaded == nullptr) {
    ASSIGN_OR_RETURN(const ModelInfo* info, FindInfo(spec.model()));
    *response.mutable_model() = ModelToProto(*info);
    if (filled.classes() == 0) filled.set_classes(static_cast<int32_t>(info->default_classes));
  }
  ASSIGN_OR_RETURN(Graph graph, GraphOf(filled, uploaded));
  ASSIGN_OR_RETURN(const v1::Loss attached, Attach(loss, graph));
  response.set_loss(attached);
  const TensorTable tensors(graph);
  std::set<std::string> unknown;
  for (NodeId id = 0; id < static_cast<NodeId>(graph.nodes().size()); ++id) {
    v1::OperatorInfo& info = *response.add_operators();
    info = OperatorToProto(graph, tensors, id);
    if (info.unknown() && unknown.insert(info.op()).second) {
      response.add_unknown_operators(info.op());
    }
  }
  AddTensors(graph, tensors, response);
  response.set_groups(tensors.group_count());
  *response.mutable_spec() = filled;
  return response;
}

}  // namespace mantissa::planner
