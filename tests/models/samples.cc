#include "tests/models/samples.h"

#include <algorithm>
#include <set>
#include <utility>

#include "ATen/Functions.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/strip.h"
#include "base/file.h"
#include "base/status.h"
#include "planner/graph/operators.h"
#include "server/data/npz.h"
#include "server/engine/operator_call.h"
#include "tests/models/sample_shapes.h"

namespace mantissa::model_replay {
namespace {

using planner::Value;

std::string Text(at::IntArrayRef sizes) {
  return absl::StrCat("[", absl::StrJoin(sizes, ", "), "]");
}

absl::StatusOr<at::Tensor> AsTensor(const data::NpyArray& array) {
  if (array.kind == 'f') {
    ASSIGN_OR_RETURN(const std::vector<float> values, array.ToFloat());
    return at::from_blob(const_cast<float*>(values.data()), array.shape, at::kFloat).clone();
  }
  ASSIGN_OR_RETURN(const std::vector<int64_t> values, array.ToInt64());
  return at::from_blob(const_cast<int64_t*>(values.data()), array.shape, at::kLong).clone();
}

bool IsTargetName(absl::string_view name) {
  const std::string lower = absl::AsciiStrToLower(name);
  return lower == "target" || lower == "targets" || lower == "y" || lower == "label" ||
         lower == "labels";
}

// By name, then what nothing else is made from in order, then what is left in order.
std::vector<const Definition*> Assign(const planner::Graph& graph, const Scope& scope) {
  std::vector<const Definition*> result(graph.inputs().size(), nullptr);
  std::set<const Definition*> taken;
  const auto take = [&](size_t input, const Definition* definition) {
    if (result[input] != nullptr || taken.count(definition) > 0) return false;
    result[input] = definition;
    taken.insert(definition);
    return true;
  };
  for (size_t i = 0; i < result.size(); ++i) {
    const Definition* named = scope.Find(graph.value(graph.inputs()[i]).name);
    if (named != nullptr) take(i, named);
  }
  for (const bool used : {false, true}) {
    for (const Definition& definition : scope.definitions()) {
      if (IsTargetName(definition.name) || definition.is_used != used) continue;
      for (size_t i = 0; i < result.size(); ++i) {
        if (used && IsCustomary(graph.value(graph.inputs()[i]))) continue;
        if (take(i, &definition)) break;
      }
    }
  }
  return result;
}

// What an input is where nothing is said of it.
Definition Customary(const Value& input) {
  const bool is_mask = absl::StrContains(input.name, "mask");
  if (absl::StrContains(input.name, "position")) {
    const std::vector<int64_t> sizes = SampleSizes(input.shape);
    return {.value = at::arange(sizes.empty() ? 1 : sizes.back()).unsqueeze(0)};
  }
  return {.value = at::scalar_tensor(is_mask ? 1 : 0, at::kLong)};
}

absl::StatusOr<Definition> TargetOf(Scope& scope, const std::string& text) {
  for (const Definition& definition : scope.definitions()) {
    if (IsTargetName(definition.name)) return definition;
  }
  auto said = scope.Evaluate(text);
  if (said.ok() && said->value.dim() > 0) return said;
  if (scope.Labels().defined()) return Definition{.value = scope.Labels()};
  return absl::InvalidArgumentError(absl::StrCat("the target \"", text, "\" names nothing known"));
}

at::Tensor OneBatch(const planner::Graph& graph, planner::ValueId id, const at::Tensor& samples,
                    int64_t first, int64_t batch_size, bool time_major) {
  const planner::Shape& shape = graph.value(id).shape;
  const std::vector<int64_t> sizes = planner::SizesAt(shape, batch_size);
  if (samples.dim() == 0) return at::full(sizes, samples.item(), samples.options());
  const int64_t at = BatchDimension(shape);
  if (at < 0 || samples.size(0) == 1) return samples[0].expand(sizes).clone();
  at::Tensor rows = samples.narrow(0, first, batch_size);
  if (shape[at].factor > 1 && time_major && rows.dim() > 1) {
    rows = rows.transpose(0, 1);
  } else if (shape[at].factor == 1) {
    rows = rows.movedim(0, at);
  }
  return rows.reshape(sizes).clone(at::MemoryFormat::Contiguous);
}

bool IsTimeMajor(const planner::Graph& graph) {
  return BatchDimension(graph.value(graph.inputs()[0]).shape) == 1;
}

}  // namespace

absl::StatusOr<at::Tensor> Fitted(const Value& value, const Definition& definition) {
  at::Tensor given = definition.value;
  const at::ScalarType type = engine::ScalarTypeOf(value.dtype);
  if (given.dim() == 0) return given.to(type);
  if (definition.is_raw && planner::IsFloatingPoint(value.dtype) && !given.is_floating_point())
    given = at::div(given, 255);
  given = given.to(type);
  const std::vector<int64_t> wanted = SampleSizes(value.shape);
  int64_t elements = 1;
  for (const int64_t size : wanted) elements *= size;
  std::vector<int64_t> sizes = wanted;
  sizes.insert(sizes.begin(), given.size(0));
  if (given.numel() == given.size(0) * elements) return given.reshape(sizes).contiguous();
  // Channels that are said elsewhere or not at all: [N, 1, S, S] for three of them.
  if (given.dim() == static_cast<int64_t>(sizes.size()) && sizes.size() > 2 && given.size(1) == 1 &&
      given.sizes().slice(2) == at::IntArrayRef(sizes).slice(2))
    return given.expand(sizes).contiguous();
  return absl::InvalidArgumentError(absl::StrCat("the data text gives ", value.name, " as ",
                                                 Text(given.sizes()), ", the model takes ",
                                                 Text(sizes)));
}

absl::StatusOr<Files> ReadFiles(const std::string& folder, const std::vector<std::string>& names) {
  Files files;
  for (const std::string& name : names) {
    ASSIGN_OR_RETURN(const auto arrays, data::ReadNpz(JoinPath(folder, name), {}));
    std::map<std::string, at::Tensor> tensors;
    for (const auto& [key, array] : arrays) {
      ASSIGN_OR_RETURN(tensors[key], AsTensor(array));
    }
    files.emplace_back(absl::StripSuffix(name, ".npz"), std::move(tensors));
  }
  return files;
}

absl::StatusOr<Samples> SamplesOf(const planner::Graph& graph, const RecordedModel& recorded,
                                  const Files& files) {
  Scope scope(files);
  RETURN_IF_ERROR(scope.Define(recorded.data_text));
  ASSIGN_OR_RETURN(const Definition target, TargetOf(scope, recorded.target_text));
  const std::vector<const Definition*> definitions = Assign(graph, scope);
  Samples samples;
  for (size_t i = 0; i < definitions.size(); ++i) {
    const Value& input = graph.value(graph.inputs()[i]);
    Definition definition = definitions[i] == nullptr ? Customary(input) : *definitions[i];
    if (definitions[i] == nullptr) {
      // One sentence without a name, and one input that it must be.
      if (i == 0) {
        ASSIGN_OR_RETURN(definition, scope.Evaluate(recorded.data_text));
      } else {
        absl::StrAppend(&samples.how, input.name, " is not mentioned; ");
      }
    }
    ASSIGN_OR_RETURN(samples.inputs.emplace_back(), Fitted(input, definition));
  }
  ASSIGN_OR_RETURN(samples.target, Fitted(graph.value(graph.target()), target));
  samples.count = CountOf(samples);
  return samples;
}

int64_t CountOf(const Samples& samples) {
  int64_t count = samples.target.size(0);
  for (const at::Tensor& input : samples.inputs) {
    if (input.dim() > 0 && input.size(0) > 1) count = std::min(count, input.size(0));
  }
  return count;
}

engine::Batch BatchOf(const planner::Graph& graph, const Samples& samples, int64_t step,
                      int64_t batch_size) {
  const int64_t first = step % (samples.count / batch_size) * batch_size;
  engine::Batch batch;
  for (size_t i = 0; i < samples.inputs.size(); ++i) {
    batch.inputs.push_back(
        OneBatch(graph, graph.inputs()[i], samples.inputs[i], first, batch_size, false));
  }
  batch.target =
      OneBatch(graph, graph.target(), samples.target, first, batch_size, IsTimeMajor(graph));
  return batch;
}

}  // namespace mantissa::model_replay
