#include "server/engine/worker_report.h"

#include <google/protobuf/descriptor.h>
#include <google/protobuf/util/json_util.h>

#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
#include "base/status.h"
#include "base/version.h"
#include "planner/cost/cost.h"
#include "planner/wire/plan_json.h"
#include "torch/version.h"

namespace mantissa::engine {
namespace {

// Keeps the order of fields. Writes what is not finite as null.
using Json = nlohmann::ordered_json;

absl::Status Write(FileSystem& files, const std::string& path, const Json& json) {
  const std::string text = json.dump(2, ' ', false, Json::error_handler_t::replace);
  return files.WriteAtomically(path, absl::StrCat(text, "\n"));
}

Json ToNumber(const Json& digits) { return Json::parse(digits.get<std::string>()); }

// Proto JSON has 64-bit integers as strings. Makes them numbers, as the other files of a job and
// the command line have them, so that one field has one type everywhere.
void StringsToNumbers(const google::protobuf::Descriptor& message, Json& json) {
  using Field = google::protobuf::FieldDescriptor;
  for (int i = 0; i < message.field_count(); ++i) {
    const Field& field = *message.field(i);
    const auto value = json.find(field.name());
    if (value == json.end()) continue;
    const bool is_wide =
        field.cpp_type() == Field::CPPTYPE_INT64 || field.cpp_type() == Field::CPPTYPE_UINT64;
    if (value->is_object() && !field.is_map()) StringsToNumbers(*field.message_type(), *value);
    if (is_wide && value->is_string()) *value = ToNumber(*value);
    if (is_wide && value->is_array()) {
      for (Json& element : *value) element = ToNumber(element);
    }
  }
}

absl::StatusOr<Json> SpecToJson(const v1::JobSpec& spec) {
  google::protobuf::util::JsonPrintOptions options;
  options.preserve_proto_field_names = true;
  std::string text;
  if (!google::protobuf::util::MessageToJsonString(spec, &text, options).ok()) {
    return absl::InternalError("the job's spec can't be written as JSON.");
  }
  Json json = Json::parse(text);
  StringsToNumbers(*spec.GetDescriptor(), json);
  return json;
}

Json EvaluationToJson(const EvaluationRecord& record) {
  return {{"epoch", record.epoch},
          {"step", record.step},
          {"accuracy", NumberOrNull(record.accuracy)},
          {"loss", record.loss},
          {"accuracy_fp32", NumberOrNull(record.accuracy_fp32)},
          {"loss_fp32", record.loss_fp32},
          {"samples", record.samples}};
}

// nullptr (null) where there is nothing to divide by.
Json Ratio(int64_t part, int64_t whole) {
  if (whole == 0) return nullptr;
  return static_cast<double>(part) / static_cast<double>(whole);
}

Json MemoryToJson(const v1::JobMemory& memory) {
  Json json = {{"device", memory.device()},
               {"step", memory.step()},
               {"measured", planner::StepMemoryToJson(memory.measured())},
               {"predicted", planner::StepMemoryToJson(memory.predicted())},
               {"budget_bytes", memory.budget_bytes()},
               {"baselines", Json::array()}};
  const int64_t peak = memory.measured().peak_bytes();
  for (const v1::MemoryBaseline& baseline : memory.baselines()) {
    json["baselines"].push_back({{"name", baseline.name()},
                                 {"peak_bytes", baseline.peak_bytes()},
                                 {"saved_bytes", baseline.peak_bytes() - peak},
                                 {"ratio", Ratio(peak, baseline.peak_bytes())},
                                 {"measured", baseline.measured()}});
  }
  return json;
}

}  // namespace

absl::Status WritePlanJson(FileSystem& files, const std::string& path, const v1::Plan& plan,
                           const History& history) {
  Json json = planner::PlanToJson(plan, /*with_tensors=*/true);
  json["promotions"] = Json::array();
  const bool bf16 = plan.precision().recipe() == v1::RECIPE_BF16;
  for (const History::Promotion& promotion : history.promotions()) {
    json["promotions"].push_back({{"step", promotion.step},
                                  {"tensor", promotion.tensor},
                                  {"overflow_ratio", promotion.overflow_ratio},
                                  {"format", bf16 ? "bf16" : "fp(6,9,0)"}});
  }
  return Write(files, path, json);
}

absl::Status WriteReportJson(FileSystem& files, const std::string& path, const JobReport& report) {
  const v1::Plan& planned = report.task.plan();
  const planner::Cost cost =
      planner::CostOf(report.plan.tensors, report.plan.assignment.formats,
                      report.plan.assignment.group_low, report.plan.request.batch_size);
  Json json = {{"job", report.task.job_id()},
               {"attempt", report.task.attempt()},
               {"outcome", report.outcome}};
  if (report.failure) {
    json["failure"] = {{"cause", v1::FailureCause_Name(report.failure->cause())},
                       {"message", report.failure->message()}};
  }
  ASSIGN_OR_RETURN(json["spec"], SpecToJson(report.task.spec()));
  if (report.evaluation) {
    json["accuracy"] = NumberOrNull(report.evaluation->accuracy);
    json["accuracy_fp32"] = NumberOrNull(report.evaluation->accuracy_fp32);
    json["loss"] = report.evaluation->loss;
    json["loss_fp32"] = report.evaluation->loss_fp32;
    json["evaluation"] = EvaluationToJson(*report.evaluation);
  }
  json["steps"] = report.history.steps();
  json["skipped_steps"] = report.history.skipped_steps();
  json["bits"] = {{"planned", planned.bits()},
                  {"final", cost.bits},
                  {"high", cost.bits_high},
                  {"fp32", cost.bits_fp32},
                  {"final_to_high", Ratio(cost.bits, cost.bits_high)},
                  {"final_to_fp32", Ratio(cost.bits, cost.bits_fp32)}};
  json["ratio_low"] = {{"groups", planned.ratio_low_groups()},
                       {"bits_planned", planned.ratio_low_bits()},
                       {"bits_final", cost.ratio_low_bits}};
  json["promoted"] = Json::array();
  for (const History::Promotion& promotion : report.history.promotions()) {
    json["promoted"].push_back(promotion.tensor);
  }
  if (report.memory) json["memory"] = MemoryToJson(*report.memory);
  json["seconds"] = {{"load", report.load_seconds}, {"train", report.train_seconds}};
  json["versions"] = {{"mantissa", kVersion}, {"libtorch", TORCH_VERSION}};
  return Write(files, path, json);
}

}  // namespace mantissa::engine
