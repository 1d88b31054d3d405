#include "server/engine/worker_history.h"

#include <nlohmann/json.hpp>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "base/status.h"

namespace mantissa::engine {
namespace {

// Keeps the order of fields. Writes what is not finite as null.
using Json = nlohmann::ordered_json;

// The promotions that a line tells of.
std::vector<History::Promotion> PromotionsOf(const Json& line, int64_t step) {
  std::vector<History::Promotion> promotions;
  const Json promoted = line.value("promoted", Json::array());
  const Json ratios = line.value("promoted_ratios", Json::array());
  for (size_t i = 0; i < promoted.size(); ++i) {
    const bool has_ratio = i < ratios.size() && ratios[i].is_number();
    promotions.push_back({step, promoted[i].is_string() ? promoted[i].get<std::string>() : "",
                          has_ratio ? ratios[i].get<double>() : 0});
  }
  return promotions;
}

}  // namespace

std::string TensorText(const PromotedTensor& tensor) {
  return absl::StrCat(tensor.kind == planner::TensorKind::kActivation ? "v " : "theta ",
                      tensor.name);
}

absl::StatusOr<History> History::Open(FileSystem& files, const std::string& path) {
  ASSIGN_OR_RETURN(std::unique_ptr<AppendableFile> file,
                   files.OpenForAppend(path, /*truncate=*/true));
  return History(path, std::move(file));
}

absl::Status History::ContinueFrom(absl::string_view earlier, int64_t first_step) {
  for (absl::string_view text : absl::StrSplit(earlier, '\n')) {
    const Json line = Json::parse(text.begin(), text.end(), nullptr, /*allow_exceptions=*/false);
    if (!line.is_object() || !line.contains("step") || !line["step"].is_number_integer()) continue;
    const int64_t step = line["step"].get<int64_t>();
    if (step >= first_step) continue;
    RETURN_IF_ERROR(file_->Append(absl::StrCat(text, "\n")));
    if (line.contains("evaluation")) continue;
    ++steps_;
    if (line.contains("skipped") && line["skipped"] == true) ++skipped_steps_;
    for (Promotion& promotion : PromotionsOf(line, step)) {
      promotions_.push_back(std::move(promotion));
    }
  }
  return absl::OkStatus();
}

absl::Status History::Add(const StepRecord& record) {
  Json line = {{"step", record.step},        {"epoch", record.epoch},
               {"loss", record.loss},        {"loss_unrounded", record.loss_unrounded},
               {"lr", record.learning_rate}, {"loss_scale", record.loss_scale},
               {"skipped", record.skipped},  {"peak_memory_bytes", record.peak_memory_bytes},
               {"promoted", Json::array()}};
  for (const PromotedTensor& tensor : record.promoted) {
    const std::string text = TensorText(tensor);
    line["promoted"].push_back(text);
    line["promoted_ratios"].push_back(tensor.overflow_ratio);
    promotions_.push_back({record.step, text, tensor.overflow_ratio});
  }
  ++steps_;
  skipped_steps_ += record.skipped ? 1 : 0;
  return file_->Append(absl::StrCat(line.dump(), "\n"));
}

nlohmann::json NumberOrNull(const std::optional<double>& number) {
  return number.has_value() ? nlohmann::json(*number) : nlohmann::json(nullptr);
}

absl::Status History::Add(const EvaluationRecord& record) {
  const Json line = {{"evaluation", true},
                     {"epoch", record.epoch},
                     {"step", record.step},
                     {"accuracy", NumberOrNull(record.accuracy)},
                     {"loss", record.loss},
                     {"accuracy_fp32", NumberOrNull(record.accuracy_fp32)},
                     {"loss_fp32", record.loss_fp32},
                     {"samples", record.samples}};
  return file_->Append(absl::StrCat(line.dump(), "\n"));
}

}  // namespace mantissa::engine
