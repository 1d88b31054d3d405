#include "server/engine/checkpoint.h"

#include <map>
#include <string>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "base/status.h"
#include "server/data/safetensors.h"

namespace mantissa::engine {
namespace {

constexpr char kVersion[] = "1";
using Metadata = std::map<std::string, std::string>;

absl::string_view WidthName(planner::OptimizerStateWidth width) {
  switch (width) {
    case planner::OptimizerStateWidth::kFp32:
      return "fp32";
    case planner::OptimizerStateWidth::kBf16:
      return "bf16";
    case planner::OptimizerStateWidth::kInt8:
      return "int8";
  }
  return "";
}

// Calls body(name in the file, tensor) for all tensors of a training until one fails.
template <typename Body>
absl::Status ForEachTensor(const planner::Graph& graph, const ModelState& state,
                           const Optimizer& optimizer, const Body& body) {
  for (size_t i = 0; i < state.parameters.size(); ++i) {
    const std::string& name = graph.value(graph.parameters()[i]).name;
    RETURN_IF_ERROR(body(absl::StrCat("model/", name), state.parameters[i]));
    // What is frozen has nothing else.
    if (graph.value(graph.parameters()[i]).frozen) continue;
    if (!state.averages.empty()) {
      RETURN_IF_ERROR(body(absl::StrCat("average/", name), state.averages[i]));
    }
    for (const Moment& moment : optimizer.moments()) {
      for (const Moment::State& part : moment.states(i)) {
        RETURN_IF_ERROR(body(absl::StrCat(part.name, "/", name), part.tensor));
      }
    }
  }
  for (size_t i = 0; i < state.buffers.size(); ++i) {
    const std::string& name = graph.value(graph.buffers()[i]).name;
    RETURN_IF_ERROR(body(absl::StrCat("model/", name), state.buffers[i]));
  }
  return absl::OkStatus();
}

template <typename T>
absl::StatusOr<T> ReadNumber(const data::Safetensors& file, const std::string& key) {
  const auto found = file.metadata().find(key);
  T number;
  bool parsed = false;
  if (found != file.metadata().end()) {
    if constexpr (std::is_same_v<T, double>) {
      parsed = absl::SimpleAtod(found->second, &number);
    } else {
      parsed = absl::SimpleAtoi(found->second, &number);
    }
  }
  if (!parsed) {
    return absl::InvalidArgumentError(
        absl::StrCat(file.path(), " is no checkpoint: it has no number ", key));
  }
  return number;
}

absl::Status RestorePromotions(const data::Safetensors& file, const planner::Plan& plan,
                               Promoter& promoter) {
  const auto found = file.metadata().find("promoted");
  if (found == file.metadata().end()) {
    return absl::InvalidArgumentError(absl::StrCat(file.path(), " is no checkpoint"));
  }
  std::vector<int> tensors;
  for (const absl::string_view text : absl::StrSplit(found->second, ',', absl::SkipEmpty())) {
    int tensor = -1;
    if (!absl::SimpleAtoi(text, &tensor) || tensor < 0 ||
        tensor >= static_cast<int>(plan.tensors.tensors().size())) {
      return absl::InvalidArgumentError(
          absl::StrCat(file.path(), ": promoted tensor ", text, " is not one of the ",
                       plan.tensors.tensors().size(), " of the plan"));
    }
    tensors.push_back(tensor);
  }
  promoter.Restore(tensors);
  return absl::OkStatus();
}

absl::Status CheckVersion(const data::Safetensors& file, const planner::Plan& plan) {
  const auto version = file.metadata().find("mantissa.checkpoint");
  if (version == file.metadata().end() || version->second != kVersion) {
    return absl::InvalidArgumentError(
        absl::StrCat(file.path(), " is no checkpoint of version ", kVersion));
  }
  const auto model = file.metadata().find("model");
  if (model == file.metadata().end() || model->second != plan.graph.name()) {
    return absl::InvalidArgumentError(
        absl::StrCat(file.path(), " is a checkpoint of another model than ", plan.graph.name()));
  }
  return absl::OkStatus();
}

// Moments of another width would have to be rounded, and the training would go on as another one.
absl::Status CheckWidth(const data::Safetensors& file, planner::OptimizerStateWidth width) {
  const auto found = file.metadata().find("optimizer_state");
  // Older files do not say it and have fp32.
  const absl::string_view stored = found == file.metadata().end()
                                       ? WidthName(planner::OptimizerStateWidth::kFp32)
                                       : absl::string_view(found->second);
  if (stored == WidthName(width)) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat(file.path(), " holds optimizer state in ", stored,
                                                 "; this training has it in ", WidthName(width),
                                                 ". Resume with optimizer state ", stored, "."));
}

}  // namespace

absl::Status SaveCheckpoint(FileSystem& files, absl::string_view path, const planner::Plan& plan,
                            const ModelState& state, StepRunner& runner, const Progress& progress) {
  std::vector<data::SafetensorsTensor> tensors;
  std::vector<at::Tensor> host;  // whose memory `tensors` shows
  RETURN_IF_ERROR(ForEachTensor(plan.graph, state, runner.optimizer(),
                                [&](std::string name, const at::Tensor& tensor) {
                                  host.push_back(tensor.cpu());
                                  tensors.push_back(AsFileTensor(std::move(name), host.back()));
                                  return absl::OkStatus();
                                }));
  const LossScaler::State& scaler = runner.scaler().state();
  const Metadata metadata = {
      {"mantissa.checkpoint", kVersion},
      {"model", plan.graph.name()},
      {"step", absl::StrCat(progress.step)},
      {"epoch", absl::StrCat(progress.epoch)},
      {"skipped_steps", absl::StrCat(progress.skipped_steps)},
      {"optimizer_steps", absl::StrCat(runner.optimizer().steps())},
      {"optimizer_state", std::string(WidthName(runner.optimizer().state_width()))},
      {"loss_scale", absl::StrFormat("%.17g", scaler.scale)},
      {"good_steps", absl::StrCat(scaler.good_steps)},
      {"skips_in_row", absl::StrCat(scaler.skips_in_row)},
      {"promoted", absl::StrJoin(runner.promoter().promoted(), ",")},
  };
  return data::WriteSafetensors(files, path, tensors, metadata);
}

absl::StatusOr<Progress> LoadCheckpoint(FileSystem& files, absl::string_view path,
                                        const planner::Plan& plan, ModelState& state,
                                        StepRunner& runner) {
  ASSIGN_OR_RETURN(const data::Safetensors file, data::Safetensors::Open(files, path));
  RETURN_IF_ERROR(CheckVersion(file, plan));
  RETURN_IF_ERROR(CheckWidth(file, runner.optimizer().state_width()));
  Progress progress;
  ASSIGN_OR_RETURN(progress.step, ReadNumber<int64_t>(file, "step"));
  ASSIGN_OR_RETURN(progress.epoch, ReadNumber<int>(file, "epoch"));
  ASSIGN_OR_RETURN(progress.skipped_steps, ReadNumber<int64_t>(file, "skipped_steps"));
  ASSIGN_OR_RETURN(const int64_t steps, ReadNumber<int64_t>(file, "optimizer_steps"));
  LossScaler::State scaler;
  ASSIGN_OR_RETURN(scaler.scale, ReadNumber<double>(file, "loss_scale"));
  ASSIGN_OR_RETURN(scaler.good_steps, ReadNumber<int64_t>(file, "good_steps"));
  ASSIGN_OR_RETURN(scaler.skips_in_row, ReadNumber<int64_t>(file, "skips_in_row"));
  RETURN_IF_ERROR(ForEachTensor(plan.graph, state, runner.optimizer(),
                                [&](const std::string& name, const at::Tensor& tensor) {
                                  return ReadFileTensor(file, name, tensor);
                                }));
  RETURN_IF_ERROR(RestorePromotions(file, plan, runner.promoter()));
  runner.RefreshFormats();
  runner.optimizer().set_steps(steps);
  runner.scaler().Restore(scaler);
  return progress;
}

}  // namespace mantissa::engine
