#include "server/engine/fit.h"

#include <cmath>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/string_view.h"
#include "base/status.h"

namespace mantissa::engine {
namespace {

absl::Status CheckImages(const planner::Graph& graph, const data::LoadedDataset& data) {
  const std::vector<int64_t> given = {data.channels, data.height, data.width};
  std::vector<int64_t> wanted;
  const planner::Shape& shape = graph.value(graph.inputs()[0]).shape;
  for (size_t i = 1; i < shape.size(); ++i) wanted.push_back(shape[i].factor);
  if (given != wanted) {
    return absl::InvalidArgumentError(absl::StrCat(
        "the data set's images are ", absl::StrJoin(given, "x"), "; the model was made for ",
        absl::StrJoin(wanted, "x"), ". Submit with --input ", absl::StrJoin(given, "x"), "."));
  }
  return absl::OkStatus();
}

absl::Status CheckSamples(const data::LoadedDataset& data, const data::Samples& samples,
                          absl::string_view split, int64_t classes) {
  for (int64_t i = 0; i < samples.size(); ++i) {
    if (samples.labels[i] >= 0 && samples.labels[i] < classes) continue;
    const int64_t label = samples.labels[i];
    const std::string remedy =
        label < 0 ? "Correct the labels."
                  : absl::StrCat("Submit with --classes ", label + 1, " or correct the labels.");
    return absl::InvalidArgumentError(absl::StrCat(
        "label ", label, " of ", split, " sample ", i, " is out of range; the model has ", classes,
        " classes, so labels go from 0 to ", classes - 1, ". ", remedy));
  }
  const size_t pixels =
      static_cast<size_t>(samples.size() * data.channels * data.height * data.width);
  if (samples.images_u8.size() + samples.images_f32.size() != pixels) {
    return absl::InvalidArgumentError(absl::StrCat(
        "the ", split, " samples have ", samples.images_u8.size() + samples.images_f32.size(),
        " pixels; ", samples.size(), " images need ", pixels));
  }
  const auto channels = static_cast<size_t>(data.channels);
  if (!samples.images_u8.empty() &&
      (data.mean.size() != channels || data.stddev.size() != channels)) {
    return absl::InvalidArgumentError(
        absl::StrCat("the data set has ", data.mean.size(), " means and ", data.stddev.size(),
                     " deviations; needed is one of each for ", channels, " channels"));
  }
  return absl::OkStatus();
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

absl::Status CheckFit(const planner::Graph& graph, const data::LoadedDataset& data,
                      const TrainingOptions& options) {
  if (data.train.size() == 0) {
    return absl::InvalidArgumentError(
        "the data set has no training samples; needed is 1 or more. Push a data set with samples.");
  }
  RETURN_IF_ERROR(CheckImages(graph, data));
  const planner::Shape& logits = graph.value(graph.output()).shape;
  const int64_t classes = logits.back().factor;
  RETURN_IF_ERROR(CheckSamples(data, data.train, "training", classes));
  RETURN_IF_ERROR(CheckSamples(data, data.test, "test", classes));
  return CheckOptions(options, data.train.size());
}

}  // namespace mantissa::engine
