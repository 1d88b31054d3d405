#include "server/engine/fit.h"

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/string_view.h"
#include "base/status.h"
#include "planner/graph/graph.h"
#include "planner/graph/loss.h"
#include "planner/graph/operators.h"

namespace mantissa::engine {
namespace {

// Without the batch.
std::vector<int64_t> SampleShape(const planner::Value& value) {
  std::vector<int64_t> shape;
  for (size_t i = 1; i < value.shape.size(); ++i) shape.push_back(value.shape[i].factor);
  return shape;
}

// What they have besides dimensions of 1, which a batch takes on or leaves off.
bool SameButForOnes(std::vector<int64_t> a, std::vector<int64_t> b) {
  std::erase(a, 1);
  std::erase(b, 1);
  return a == b;
}

// "float32 3x32x32".
std::string Told(bool is_float, const std::vector<int64_t>& shape) {
  const std::string sizes = absl::StrJoin(shape, "x");
  return absl::StrCat(is_float ? "floating point" : "whole numbers", sizes.empty() ? "" : ", ",
                      sizes);
}

absl::Status CheckTensor(absl::string_view what, const data::SampleTensor& tensor, bool is_input,
                         const planner::Value& value, absl::string_view remedy) {
  const bool is_float = tensor.is_float(is_input);
  const std::vector<int64_t> wanted = SampleShape(value);
  const bool batched = !value.shape.empty() && value.shape[0] == planner::Dim::Batch();
  if (batched && is_float == planner::IsFloatingPoint(value.dtype) &&
      SameButForOnes(tensor.shape, wanted)) {
    return absl::OkStatus();
  }
  return absl::InvalidArgumentError(absl::StrCat(
      "the data set's ", what, " ", tensor.name, " is ", Told(is_float, tensor.shape),
      " a sample; the model takes ", Told(planner::IsFloatingPoint(value.dtype), wanted), " for ",
      value.name, batched ? "" : ", with no batch before it", ". ", remedy));
}

absl::Status CheckInputs(const planner::Graph& graph, const data::LoadedDataset& data) {
  if (data.inputs.size() != graph.inputs().size()) {
    return absl::InvalidArgumentError(absl::StrCat(
        "the data set has ", data.inputs.size(), " inputs a sample; the model takes ",
        graph.inputs().size(), ". Push the data with one array an input, in the model's order."));
  }
  for (size_t i = 0; i < data.inputs.size(); ++i) {
    const planner::Value& value = graph.value(graph.inputs()[i]);
    const std::string remedy =
        planner::IsFloatingPoint(value.dtype) == data.inputs[i].is_float(/*is_input=*/true)
            ? absl::StrCat("Submit with --input ", absl::StrJoin(data.inputs[i].shape, "x"),
                           ", or push samples of that shape.")
            : absl::StrCat("Push it as ",
                           planner::IsFloatingPoint(value.dtype) ? "float32" : "int64", ".");
    RETURN_IF_ERROR(CheckTensor("input", data.inputs[i], /*is_input=*/true, value, remedy));
  }
  return absl::OkStatus();
}

// A token that an embedding has no row for would end the step in the middle.
absl::Status CheckVocabulary(const planner::Graph& graph, const data::LoadedDataset& data) {
  for (const planner::Node& node : graph.nodes()) {
    if (node.op != "aten::embedding") continue;
    const planner::ValueId weight = planner::FindValueArgument(node, "weight"),
                           indices = planner::FindValueArgument(node, "indices");
    const auto input = std::find(graph.inputs().begin(), graph.inputs().end(), indices);
    if (weight == planner::kNoValue || input == graph.inputs().end()) continue;
    const data::SampleTensor& tensor = data.inputs[input - graph.inputs().begin()];
    const int64_t rows = graph.value(weight).shape[0].factor;
    if (tensor.classes > 0 && tensor.classes <= rows) continue;
    return absl::InvalidArgumentError(absl::StrCat(
        "the data set's input ", tensor.name, " has ",
        tensor.classes > 0 ? absl::StrCat("numbers up to ", tensor.classes - 1)
                           : std::string("negative numbers"),
        "; the model looks them up in ", node.name, ", which has ", rows,
        " rows, so they go from 0 to ", rows - 1, ". Use the tokens that the model was made for."));
  }
  return absl::OkStatus();
}

// The first label beyond the model's classes, of a target that is one number a sample.
absl::Status NameLabel(const data::SampleSource& samples, const data::SampleTensor& target,
                       absl::string_view split, int64_t classes) {
  std::vector<char> bytes(target.bytes());
  for (int64_t i = 0; i < samples.size() && target.shape.empty(); ++i) {
    RETURN_IF_ERROR(samples.ReadTarget(i, absl::MakeSpan(bytes)));
    int64_t label = 0;  // little-endian
    std::copy(bytes.begin(), bytes.end(), reinterpret_cast<char*>(&label));
    if (label < classes || label >= target.classes) continue;
    return absl::InvalidArgumentError(absl::StrCat(
        "label ", label, " of ", split, " sample ", i, " is out of range; the model has ", classes,
        " classes, so labels go from 0 to ", classes - 1, ". Submit with --classes ",
        target.classes, " or correct the labels."));
  }
  return absl::OkStatus();
}

absl::Status CheckTarget(const planner::Graph& graph, const planner::LossOptions& loss,
                         const data::LoadedDataset& data) {
  const planner::Value& target = graph.value(graph.target());
  const std::string remedy =
      planner::HasLabels(loss.kind)
          ? "For this loss a target is class numbers: turn one-hot labels into them with argmax()."
          : "For this loss a target has the type and shape of the model's output; use another loss "
            "for class numbers.";
  RETURN_IF_ERROR(CheckTensor("target", data.target, /*is_input=*/false, target, remedy));
  if (!planner::HasLabels(loss.kind)) return absl::OkStatus();
  const int64_t classes = graph.value(graph.output()).shape[planner::ClassDimension(graph)].factor;
  if (data.target.classes <= classes) return absl::OkStatus();
  RETURN_IF_ERROR(NameLabel(*data.train, data.target, "training", classes));
  RETURN_IF_ERROR(NameLabel(*data.test, data.target, "test", classes));
  return absl::InvalidArgumentError(absl::StrCat(
      "the data set's target ", data.target.name, " has class numbers up to ",
      data.target.classes - 1, "; the model has ", classes, " classes, so they go from 0 to ",
      classes - 1, ". Use a model with more classes."));
}

absl::Status CheckAugmentation(const data::LoadedDataset& data, const AugmentOptions& augment) {
  bool whole = !data.target.is_float(/*is_input=*/false);
  for (const data::SampleTensor& input : data.inputs) {
    whole = whole || !input.is_float(/*is_input=*/true);
  }
  if (augment.mixup_alpha > 0 && whole) {
    return InvalidField("training.mixup_alpha", absl::StrCat(augment.mixup_alpha),
                        "0 where inputs or targets are whole numbers",
                        "Class numbers can't be mixed: leave it out, or train on floating-point "
                        "targets with mse or bce.");
  }
  if (augment.kind == AugmentKind::kNone || data.target.shape.size() < 2) return absl::OkStatus();
  return InvalidField("training.augment", "set", "none for targets of two and more dimensions",
                      "The target would not be moved with the image: leave it out.");
}

absl::Status CheckOptions(const TrainingOptions& options, int64_t train_samples) {
  if (options.epochs < 1) {
    return InvalidField("training.epochs", absl::StrCat(options.epochs), "1 or more",
                        "Use 10 to see whether a model learns.");
  }
  if (options.batch_size < 1 || options.batch_size > train_samples) {
    return InvalidField("training.batch_size", absl::StrCat(options.batch_size),
                        absl::StrCat("1 to ", train_samples, ", the training samples"),
                        absl::StrCat("Use a batch of at most ", train_samples, "."));
  }
  if (!std::isfinite(options.learning_rate) || options.learning_rate <= 0) {
    return InvalidField("training.learning_rate", absl::StrCat(options.learning_rate),
                        "a finite number above 0", "Use 0.1 with SGD.");
  }
  if (!std::isfinite(options.loss_scale) || options.loss_scale <= 0) {
    return InvalidField("training.loss_scale", absl::StrCat(options.loss_scale),
                        "a finite number above 0", "Use 65536.");
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status CheckFit(const planner::Plan& plan, const data::LoadedDataset& data,
                      const TrainingOptions& options) {
  if (data.train->size() == 0) {
    return absl::InvalidArgumentError(
        "the data set has no training samples; needed is 1 or more. Push a data set with samples.");
  }
  RETURN_IF_ERROR(CheckInputs(plan.graph, data));
  RETURN_IF_ERROR(CheckVocabulary(plan.graph, data));
  RETURN_IF_ERROR(CheckTarget(plan.graph, plan.request.loss, data));
  RETURN_IF_ERROR(CheckAugmentation(data, options.augment));
  return CheckOptions(options, data.train->size());
}

}  // namespace mantissa::engine
