// server/engine/worker_report.h
//
// plan.json and report.json: what a job leaves for programs to read.
//
//   RETURN_IF_ERROR(WritePlanJson(files, path, task.plan(), history, final_bits));
//   RETURN_IF_ERROR(WriteReportJson(files, path, report));
//
// plan.json is the object that `mantissa plan -o json` prints (planner/wire/plan_json.h), with
// `tensors` as they were planned, and `promotions`, a list of {step, tensor, overflow_ratio,
// format}, `format` being what the tensor has from the next step on.

#ifndef MANTISSA_SERVER_ENGINE_WORKER_REPORT_H_
#define MANTISSA_SERVER_ENGINE_WORKER_REPORT_H_

#include <optional>
#include <string>

#include "absl/status/status.h"
#include "base/file.h"
#include "mantissa/internal/v1/worker.pb.h"
#include "planner/plan.h"
#include "server/engine/trainer.h"
#include "server/engine/worker_history.h"

namespace mantissa::engine {

absl::Status WritePlanJson(FileSystem& files, const std::string& path, const v1::Plan& plan,
                           const History& history);

// What report.json is made of.
struct JobReport {
  const internal::v1::TrainTask& task;
  const History& history;
  // The plan as the promotions left it.
  const planner::Plan& plan;
  // "succeeded", "failed", "cancelled".
  std::string outcome;
  // Why, where it failed.
  std::optional<v1::Failure> failure;
  // The last one; nullopt if there was none.
  std::optional<EvaluationRecord> evaluation;
  // With baselines; nullopt if no step was run.
  std::optional<v1::JobMemory> memory;
  // Of this attempt.
  double load_seconds = 0, train_seconds = 0;
};

// Replaces the file at once. Fields: job, attempt, outcome, failure {cause, message}, spec (proto
// JSON, but 64-bit integers are numbers), accuracy, accuracy_fp32, loss, loss_fp32, evaluation,
// steps, skipped_steps, bits {planned, final, high, fp32, final_to_high, final_to_fp32}, ratio_low
// {groups, bits_planned, bits_final}, promoted (list of tensors), memory (docs/artifacts.md),
// seconds {load, train}, versions.
absl::Status WriteReportJson(FileSystem& files, const std::string& path, const JobReport& report);

}  // namespace mantissa::engine

#endif  // MANTISSA_SERVER_ENGINE_WORKER_REPORT_H_
