#include "tests/reference/recorded_run.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "base/file.h"
#include "base/status.h"
#include "server/data/array_samples.h"
#include "server/data/npz.h"
#include "tests/reference/python_json.h"

namespace mantissa::reference {
namespace {

using nlohmann::json;
using planner::TensorKind;

absl::string_view WithoutSuffix(absl::string_view path, absl::string_view suffix) {
  return absl::EndsWith(path, suffix) ? path.substr(0, path.size() - suffix.size()) : path;
}

std::vector<std::string> Strings(const json& list) {
  std::vector<std::string> strings;
  for (const json& text : list) {
    strings.push_back(text.is_string() ? text.get<std::string>() : "");
  }
  return strings;
}

RecordedOperator ReadOperator(const json& op) {
  return {.name = op.at("name"),
          .type = op.at("type"),
          .group = op.at("group"),
          .inputs = Strings(op.at("inputs")),
          .parameters = Strings(op.at("params")),
          .value_format = op.at("dtype_v"),
          .gradient_formats = Strings(op.at("dtype_dv_inputs")),
          .parameter_formats = Strings(op.at("dtype_theta")),
          .parameter_gradient_formats = Strings(op.at("dtype_dtheta"))};
}

RecordedStep ReadStep(const json& step) {
  RecordedStep result{.learning_rate = Number(step.at("lr")),
                      .loss = Number(step.at("loss")),
                      .loss_before_rounding = Number(step.at("loss_before_rounding")),
                      .scale = Number(step.at("scale")),
                      .scale_after = Number(step.at("scale_after")),
                      .gradient_norm = Number(step.at("grad_l2")),
                      .parameter_norm = Number(step.at("theta_l2")),
                      .correct = step.at("correct"),
                      .bits = step.at("bits"),
                      .skipped = step.at("skipped"),
                      .promoted = Strings(step.at("promoted"))};
  std::sort(result.promoted.begin(), result.promoted.end());
  for (const json& entry : step.at("largest_overflow_ratios")) {
    result.overflow_ratios[entry[1].get<std::string>()] = Number(entry[0]);
  }
  return result;
}

void ReadFirstTensors(const json& list, RecordedRun& run) {
  for (const json& entry : list) {
    RecordedTensor tensor{.norm = Number(entry.at("post").at("l2"))};
    if (entry.contains("overflow_count")) {
      tensor.has_counts = true;
      tensor.overflow = entry.at("overflow_count");
      tensor.underflow = entry.at("underflow_count");
    }
    const std::string kind = entry.at("kind"), name = entry.at("name");
    const std::string key = kind == "dv" ? TensorKey(kind, name, entry.at("op").get<std::string>(),
                                                     entry.at("consumer_input"))
                                         : TensorKey(kind, name);
    run.first_tensors[key] = tensor;
  }
}

// The number after a flag of the recorded command line.
void ReadFlag(const json& run, absl::string_view flag, double& value) {
  const std::string line = run.at("command_line");
  const std::vector<std::string> words = absl::StrSplit(line, ' ', absl::SkipEmpty());
  for (size_t i = 0; i + 1 < words.size(); ++i) {
    if (words[i] == flag) MANTISSA_CHECK(absl::SimpleAtod(words[i + 1], &value), words[i + 1]);
  }
}

std::vector<std::string> NoisyParameters(const std::vector<RecordedOperator>& operators) {
  std::vector<std::string> noisy;
  for (const RecordedOperator& norm : operators) {
    if (!absl::StartsWith(norm.type, "BatchNorm")) continue;
    for (const RecordedOperator& op : operators) {
      if (op.name == norm.inputs[0] && absl::StartsWith(op.type, "Conv")) {
        noisy.push_back(op.name + ".bias");
      }
    }
  }
  return noisy;
}

absl::StatusOr<data::LoadedDataset> ReadData(absl::string_view path) {
  using data::NpyArray;
  ASSIGN_OR_RETURN(const auto arrays, data::ReadNpz(std::string(path), {}));
  for (const char* name : {"train_u8", "train_y", "test_u8", "test_y", "mean", "std"}) {
    if (!arrays.contains(name)) {
      return absl::InvalidArgumentError(absl::StrCat(path, " has no array ", name));
    }
  }
  data::LoadedDataset result{.format = "npz"};
  const std::vector<int64_t>& shape = arrays.at("train_u8").shape;
  if (shape.size() != 4) return absl::InvalidArgumentError(absl::StrCat(path, ": no images"));
  result.inputs = {{"x", data::ElementType::kUInt8, {shape.begin() + 1, shape.end()}}};
  result.target = {"y", data::ElementType::kInt64, {}};
  const auto samples = [&](const char* images,
                           const char* labels) -> absl::StatusOr<decltype(result.train)> {
    ASSIGN_OR_RETURN(const std::vector<int64_t> numbers, arrays.at(labels).ToInt64());
    for (int64_t label : numbers) {
      result.target.classes = std::max(result.target.classes, label + 1);
    }
    return data::MakeArraySamples(
        {data::MakeColumn(result.inputs[0], static_cast<int64_t>(numbers.size()),
                          arrays.at(images).bytes)},
        data::MakeColumn("y", {}, numbers));
  };
  ASSIGN_OR_RETURN(result.train, samples("train_u8", "train_y"));
  ASSIGN_OR_RETURN(result.test, samples("test_u8", "test_y"));
  ASSIGN_OR_RETURN(result.mean, arrays.at("mean").ToFloat());
  ASSIGN_OR_RETURN(result.stddev, arrays.at("std").ToFloat());
  return result;
}

// Runs and micro cases in a folder below the recording's.
absl::Status FindRuns(const std::string& folder, Recording& recording) {
  FileSystem& files = RealFileSystem();
  ASSIGN_OR_RETURN(const std::vector<std::string> names, files.List(folder));
  for (const std::string& name : names) {
    const std::string path = JoinPath(folder, name);
    if (files.IsFolder(path)) {
      RETURN_IF_ERROR(FindRuns(path, recording));
    } else if (absl::EndsWith(name, ".json") && folder != recording.folder) {
      const bool micro = files.Exists(absl::StrCat(WithoutSuffix(path, ".json"), ".npz"));
      (micro ? recording.micro : recording.runs).push_back(path);
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<kernels::Format> FormatOf(absl::string_view text) {
  if (text == "fp32" || text == "FP32") return kernels::kFp32;
  if (text.size() != 3) return absl::InvalidArgumentError(absl::StrCat("format ", text));
  return kernels::Fp(text[0] - '0', text[1] - '0', text[2] - '0');
}

// Calls body(tensor index, recorded format) for every tensor of the plan that the run lists.
template <typename Body>
absl::Status ForEachFormat(const RecordedRun& run, const planner::Plan& plan, const Body& body) {
  std::map<std::pair<TensorKind, std::string>, int> index;
  for (size_t i = 0; i < plan.tensors.tensors().size(); ++i) {
    const planner::Tensor& tensor = plan.tensors.tensors()[i];
    index[{tensor.kind, tensor.name}] = static_cast<int>(i);
  }
  const auto visit = [&](TensorKind kind, const std::string& name, const std::string& format) {
    const auto found = index.find({kind, name});
    if (found == index.end()) {
      return absl::InvalidArgumentError(absl::StrCat("the plan has no tensor ", name));
    }
    ASSIGN_OR_RETURN(const kernels::Format parsed, FormatOf(format));
    body(found->second, parsed);
    return absl::OkStatus();
  };
  for (const RecordedOperator& op : run.operators) {
    RETURN_IF_ERROR(visit(TensorKind::kActivation, op.name, op.value_format));
    for (size_t i = 0; i < op.inputs.size(); ++i) {
      if (op.inputs[i].empty()) continue;
      RETURN_IF_ERROR(visit(TensorKind::kActivationGradient, op.inputs[i], op.gradient_formats[i]));
    }
    for (size_t i = 0; i < op.parameters.size(); ++i) {
      const std::string name = absl::StrCat(op.name, ".", op.parameters[i]);
      RETURN_IF_ERROR(visit(TensorKind::kParameter, name, op.parameter_formats[i]));
      RETURN_IF_ERROR(
          visit(TensorKind::kParameterGradient, name, op.parameter_gradient_formats[i]));
    }
  }
  return absl::OkStatus();
}

// Throws if a field is missing or of another type.
RecordedRun ParseRun(absl::string_view path, const json& file) {
  RecordedRun run{
      .name = std::string(WithoutSuffix(BaseName(path), ".json")),
      .path = std::string(path),
      .init = file.at("init"),
      .policy = file.at("policy"),
      .model = {.name = file.at("model"), .width = file.at("width"), .classes = file.at("classes")},
      .batch_size = file.at("batch"),
      .epochs = file.at("epochs"),
      .cosine_epochs = file["cosine_T_max"],
      .promotion_threshold = Number(file.at("promotion_threshold"))};
  double growth = run.scale_growth_epochs;
  ReadFlag(file, "--lr", run.learning_rate);
  ReadFlag(file, "--mt", run.momentum);
  ReadFlag(file, "--wd", run.weight_decay);
  ReadFlag(file, "--lsc-init", run.loss_scale);
  ReadFlag(file, "--lsc-evry-nep", growth);
  run.scale_growth_epochs = static_cast<int>(growth);
  for (const json& op : file.at("ops")) run.operators.push_back(ReadOperator(op));
  for (const json& step : file.at("steps")) run.steps.push_back(ReadStep(step));
  ReadFirstTensors(file.at("step1_tensors"), run);
  for (const json& entry : file.at("eval")) {
    run.evaluations.push_back(
        {.epoch = entry.at("epoch"),
         .kind = entry.at("kind"),
         .loss = Number(entry.at("mean_loss")),
         .loss_before_rounding = Number(entry.at("mean_loss_before_rounding")),
         .correct = entry.at("correct"),
         .samples = entry.at("samples")});
  }
  for (const auto& [name, tensor] : file.at("final_weights").items()) {
    run.final_weights[name] = Number(tensor.at("l2"));
  }
  run.noisy_parameters = NoisyParameters(run.operators);
  return run;
}

// Nothing: the policy is not known by name.
std::optional<planner::PolicyOptions> PrecisionOf(const std::string& policy) {
  if (policy == "fp32") return planner::PolicyOptions{.policy = "none"};
  if (policy == "high") return planner::PolicyOptions{.policy = "demotion", .low_ratio = 0.0};
  if (policy == "op") return planner::PolicyOptions{.policy = "operator"};
  if (absl::StartsWith(policy, "demote05")) {
    return planner::PolicyOptions{.policy = "demotion", .low_ratio = 0.5};
  }
  if (policy == "low" || absl::StartsWith(policy, "low_")) {
    return planner::PolicyOptions{.policy = "demotion", .low_ratio = 1.0};
  }
  return std::nullopt;
}

}  // namespace

std::string TensorKey(absl::string_view kind, absl::string_view name, absl::string_view consumer,
                      int consumer_input) {
  if (consumer.empty()) return absl::StrCat(kind, " ", name);
  return absl::StrCat(kind, " ", name, "@", consumer, ".", consumer_input);
}

absl::StatusOr<Recording> OpenRecording(absl::string_view folder) {
  FileSystem& files = RealFileSystem();
  Recording recording{.folder = std::string(folder)};
  ASSIGN_OR_RETURN(const std::vector<std::string> names, files.List(folder));
  std::vector<std::string> archives;
  for (const std::string& name : names) {
    if (absl::EndsWith(name, ".npz")) archives.push_back(JoinPath(folder, name));
  }
  if (archives.size() != 1) {
    return absl::InvalidArgumentError(
        absl::StrCat(folder, " has ", archives.size(), " .npz files; needed is one, the data set"));
  }
  ASSIGN_OR_RETURN(recording.data, ReadData(archives[0]));
  RETURN_IF_ERROR(FindRuns(recording.folder, recording));
  const std::string noise = JoinPath(folder, "noise.json");
  if (files.Exists(noise)) {
    ASSIGN_OR_RETURN(recording.noise, ReadPythonJson(noise));
  }
  return recording;
}

absl::StatusOr<RecordedRun> ReadRun(absl::string_view path) {
  ASSIGN_OR_RETURN(const json file, ReadPythonJson(path));
  try {
    return ParseRun(path, file);
  } catch (const json::exception& error) {
    return absl::InvalidArgumentError(absl::StrCat(path, " is no recorded run: ", error.what()));
  }
}

absl::StatusOr<planner::Plan> PlanOf(const RecordedRun& run) {
  planner::PlanRequest request{.model = run.model, .batch_size = run.batch_size};
  const std::optional<planner::PolicyOptions> precision = PrecisionOf(run.policy);
  request.precision = precision.value_or(planner::PolicyOptions{.policy = "none"});
  ASSIGN_OR_RETURN(planner::Plan plan, planner::MakePlan(request));
  if (!precision.has_value()) {
    RETURN_IF_ERROR(ForEachFormat(run, plan, [&](int tensor, kernels::Format format) {
      plan.assignment.formats[tensor] = format;
    }));
  }
  return plan;
}

std::vector<std::string> PlanDifferences(const RecordedRun& run, const planner::Plan& plan) {
  std::vector<std::string> differences;
  const absl::Status status = ForEachFormat(run, plan, [&](int tensor, kernels::Format format) {
    if (plan.assignment.formats[tensor] != format) {
      differences.push_back(plan.tensors.tensors()[tensor].name);
    }
  });
  if (!status.ok()) differences.push_back(std::string(status.message()));
  std::map<std::string, int> groups;
  for (const planner::Tensor& tensor : plan.tensors.tensors()) {
    if (tensor.kind == TensorKind::kActivation) groups[tensor.name] = tensor.group;
  }
  for (const RecordedOperator& op : run.operators) {
    if (groups[op.name] != op.group) differences.push_back(op.name);
  }
  return differences;
}

}  // namespace mantissa::reference
