#include "tests/models/recorded_model.h"

#include <algorithm>
#include <cstdlib>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "base/file.h"
#include "base/status.h"
#include "nlohmann/json.hpp"

namespace mantissa::model_replay {
namespace {

using nlohmann::json;

absl::StatusOr<planner::LossKind> LossOf(const std::string& name) {
  using planner::LossKind;
  if (name == "ce" || name == "seq_ce" || name == "seg_ce" || name == "cross_entropy")
    return LossKind::kCrossEntropy;
  if (absl::StrContains(name, "nll")) return LossKind::kNll;
  if (absl::StrContains(name, "mse")) return LossKind::kMse;
  if (absl::StrContains(name, "bce")) return LossKind::kBce;
  return absl::InvalidArgumentError(
      absl::StrCat("its loss \"", name, "\" is none of ce, seq_ce, seg_ce, nll, mse and bce"));
}

double Number(const json& object, const char* name, double otherwise = 0) {
  const auto found = object.find(name);
  return found == object.end() || !found->is_number() ? otherwise : found->get<double>();
}

// Losses are written as hexadecimal numbers, so that not a bit is lost.
std::vector<double> Losses(const json& losses) {
  const json& run = losses.at("eager_f64_1t");
  std::vector<double> result;
  for (const json& text : run.at("hex"))
    result.push_back(std::strtod(text.get<std::string>().c_str(), nullptr));
  return result;
}

std::map<std::string, double> Numbers(const json& object) {
  std::map<std::string, double> result;
  for (const auto& [name, value] : object.items()) {
    if (value.is_number()) result[name] = value.get<double>();
  }
  return result;
}

RecordedLosses ReadLosses(const json& object, double learning_rate) {
  RecordedLosses run{.learning_rate = learning_rate,
                     .exact = Losses(object.at("losses")),
                     .noise = object.at("noise_per_step_rel").get<std::vector<double>>(),
                     .final_l2 = Numbers(object.at("final_l2"))};
  const json travels = object.value("travel", json::object());
  for (const auto& [name, travel] : travels.items()) {
    run.travel[name] = {.l2 = Number(travel, "l2"),
                        .max_abs = Number(travel, "max_abs"),
                        .relative_noise = Number(travel, "rel_noise", 1)};
  }
  return run;
}

absl::StatusOr<RecordedModel> Parse(const json& object) {
  const json& train = object.at("train");
  ASSIGN_OR_RETURN(const planner::LossKind loss, LossOf(train.at("loss").get<std::string>()));
  if (train.value("nesterov", false) || Number(train, "dampening") != 0)
    return absl::InvalidArgumentError(
        "it was trained with Nesterov or dampening, which are not replayed");
  const json& data = object.at("data");
  RecordedModel model{
      .name = object.at("name").get<std::string>(),
      .files = data.at("files").get<std::vector<std::string>>(),
      .data_text = data.value("preprocessing", ""),
      .target_text = data.value("target", ""),
      .loss = {.kind = loss, .ignore_index = train.value("ignore_index", int64_t{-100})},
      .batch_size = train.at("batch").get<int64_t>(),
      .momentum = Number(train, "momentum"),
      .weight_decay = Number(train, "weight_decay"),
      .usual = ReadLosses(object, Number(train, "lr", 0.01)),
      .calm = ReadLosses(object.at("calm"), Number(object.at("calm"), "lr", 1e-4)),
      .gradient_total = Number(object, "grad0_total_l2_f64"),
      .initial_l2 = Numbers(object.value("initial_l2", json::object()))};
  for (const auto& [name, gradient] : object.at("grad0").items()) {
    model.gradients[name] = {.l2 = Number(gradient, "l2_f64"),
                             .max_abs = Number(gradient, "max_abs_f64"),
                             .relative_noise = std::max(Number(gradient, "rel_err_f32"),
                                                        Number(gradient, "rel_err_f32_no_mkldnn")),
                             .first = gradient.value("first8_f64", std::vector<double>())};
  }
  for (const auto& [name, count] : Numbers(object.value("final_int_buffers", json::object())))
    model.final_counts[name] = static_cast<int64_t>(count);
  if (model.usual.exact.empty() || model.usual.exact.size() != model.usual.noise.size() ||
      model.calm.exact.size() != model.calm.noise.size())
    return absl::InvalidArgumentError("losses and noise are of different lengths");
  return model;
}

}  // namespace

absl::StatusOr<std::vector<Exported>> ListModels(const std::string& folder) {
  FileSystem& files = RealFileSystem();
  ASSIGN_OR_RETURN(const std::vector<std::string> names, files.List(folder));
  std::vector<Exported> models;
  for (const std::string& file : names) {
    absl::string_view name = file;
    if (!absl::ConsumeSuffix(&name, ".pt2")) continue;
    const std::string json = JoinPath(folder, absl::StrCat(name, ".json"));
    models.push_back({.name = std::string(name),
                      .archive = JoinPath(folder, file),
                      .json = files.Exists(json) ? json : ""});
  }
  if (models.empty())
    return absl::NotFoundError(
        absl::StrCat(folder, " holds no .pt2 files; name a folder that does"));
  return models;
}

absl::StatusOr<RecordedModel> ReadRecorded(const std::string& path) {
  ASSIGN_OR_RETURN(const std::string text, RealFileSystem().Read(path));
  try {
    return Parse(json::parse(text));
  } catch (const json::exception& error) {
    return absl::InvalidArgumentError(
        absl::StrCat(path, " does not say what is needed: ", error.what()));
  }
}

}  // namespace mantissa::model_replay
