#include "server/metrics/table.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace mantissa::metrics {
namespace {

std::vector<MetricRow> TotalRows() {
  using enum Metric;
  using enum Kind;
  const std::vector<double> step_buckets = {0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1,
                                            0.2,   0.5,   1,     2,    5,    10,   30};
  return {
      {kBuildInfo,
       "mantissa_build_info",
       kGauge,
       {"version"},
       "",
       "Always 1; version of mantissad."},
      {kJobs, "mantissa_jobs", kGauge, {"state"}, "", "Jobs by state."},
      {kQueueAge,
       "mantissa_queue_age_seconds",
       kGauge,
       {},
       "seconds",
       "How long the oldest pending job has waited; 0 with an empty queue."},
      {kJobStepDuration,
       "mantissa_step_duration_seconds",
       kHistogram,
       {"job"},
       "seconds",
       "Time of a training step.",
       step_buckets},
      {kSteps, "mantissa_steps_total", kCounter, {}, "", "Training steps done by all jobs."},
      {kSkippedSteps,
       "mantissa_skipped_steps_total",
       kCounter,
       {},
       "",
       "Steps of all jobs whose update was skipped because a gradient was not finite."},
      {kPromotions,
       "mantissa_tensor_promotions_total",
       kCounter,
       {"kind"},
       "",
       "Tensors of all jobs that were promoted to high precision on overflow, by kind."},
  };
}

std::vector<MetricRow> JobRows() {
  using enum Metric;
  using enum Kind;
  return {
      {kJobLoss,
       "mantissa_job_loss",
       kGauge,
       {"job"},
       "",
       "Loss of the last step before its rounding."},
      {kJobAccuracy,
       "mantissa_job_accuracy_ratio",
       kGauge,
       {"job", "precision"},
       "ratio",
       "Accuracy of the last evaluation; precision is `assigned` or `fp32`."},
      {kJobLossScale, "mantissa_job_loss_scale", kGauge, {"job"}, "", "Loss scale in force."},
      {kJobSamplesRate,
       "mantissa_job_samples_per_second",
       kGauge,
       {"job"},
       "",
       "Training samples a second, mean of the last steps."},
      {kJobSkippedSteps,
       "mantissa_job_skipped_steps",
       kGauge,
       {"job"},
       "",
       "Steps of the job that were skipped so far."},
      {kJobLowRatio,
       "mantissa_job_low_ratio",
       kGauge,
       {"job"},
       "ratio",
       "Low ratio by bits now: 2 * (bits_high - bits) / bits_high."},
      {kJobPromotedTensors,
       "mantissa_job_promoted_tensors",
       kGauge,
       {"job"},
       "",
       "Tensors of the job that were promoted so far."},
      {kJobOverflowRatio,
       "mantissa_job_overflow_ratio",
       kGauge,
       {"job"},
       "ratio",
       "Largest overflow ratio of an activation or weight in the last step."},
      {kJobLastStep,
       "mantissa_job_last_step_timestamp_seconds",
       kGauge,
       {"job"},
       "seconds",
       "When the last step was reported, since 1970."},
      {kJobPeakMemory,
       "mantissa_job_peak_memory_bytes",
       kGauge,
       {"job"},
       "bytes",
       "The most tensor bytes at one time in any step so far."},
      {kJobPeakMemoryByKind,
       "mantissa_job_peak_memory_kind_bytes",
       kGauge,
       {"job", "kind"},
       "bytes",
       "Tensor bytes at the peak by what they were for: `masters`, `weights`, `activations`, "
       "`gradients`, `optimizer` or `workspace`."},
      {kJobPredictedMemory,
       "mantissa_job_predicted_memory_bytes",
       kGauge,
       {"job"},
       "bytes",
       "Peak of a step as predicted for the assignment in force."},
      {kJobMemoryBudget,
       "mantissa_job_memory_budget_bytes",
       kGauge,
       {"job"},
       "bytes",
       "Memory budget of the job; no series where it has none."},
  };
}

std::vector<MetricRow> ProcessRows() {
  using enum Metric;
  using enum Kind;
  const std::vector<double> rpc_buckets = {0.001, 0.005, 0.02, 0.1, 0.5, 2, 10, 60, 600};
  return {
      {kWorkerStarts,
       "mantissa_worker_starts_total",
       kCounter,
       {},
       "",
       "Worker processes started."},
      {kWorkerDeaths,
       "mantissa_worker_deaths_total",
       kCounter,
       {"cause"},
       "",
       "Workers that ended without having done their work, by cause."},
      {kUploadedBytes,
       "mantissa_uploaded_bytes_total",
       kCounter,
       {},
       "bytes",
       "Bytes of blobs that clients uploaded."},
      {kFreeDisk,
       "mantissa_data_disk_free_bytes",
       kGauge,
       {},
       "bytes",
       "Free bytes of the disk with the data folder."},
      {kRpcHandled,
       "mantissa_rpc_handled_total",
       kCounter,
       {"method", "code"},
       "",
       "Calls that ended, by method and gRPC status code."},
      {kRpcDuration,
       "mantissa_rpc_handling_seconds",
       kHistogram,
       {"method", "code"},
       "seconds",
       "Time from a call's arrival to its end, by method and gRPC status code.",
       rpc_buckets},
  };
}

std::vector<MetricRow> MakeTable() {
  std::vector<MetricRow> table = TotalRows();
  for (const auto& rows : {JobRows(), ProcessRows()}) {
    table.insert(table.end(), rows.begin(), rows.end());
  }
  return table;
}

std::string KindName(Kind kind) {
  switch (kind) {
    case Kind::kCounter:
      return "counter";
    case Kind::kGauge:
      return "gauge";
    case Kind::kHistogram:
      return "histogram";
  }
  return "";
}

}  // namespace

const std::vector<MetricRow>& MetricTable() {
  static const auto& table = *new std::vector<MetricRow>(MakeTable());
  return table;
}

const MetricRow& RowOf(Metric metric) { return MetricTable()[static_cast<size_t>(metric)]; }

std::string MetricsMarkdown() {
  std::string text =
      "# Metrics\n\n"
      "mantissad serves these at `http://METRICS_HOST:PORT/metrics` in Prometheus's text format.\n"
      "Series with a `job` label exist while the job runs and disappear when it ends.\n\n"
      "Generated from `server/metrics/table.h`: `bazel run //server/metrics:print_table`.\n\n"
      "| Name | Kind | Labels | Unit | Meaning |\n|---|---|---|---|---|\n";
  for (const MetricRow& row : MetricTable()) {
    absl::StrAppend(&text, "| `", row.name, "` | ", KindName(row.kind), " | ",
                    absl::StrJoin(row.labels, ", "), " | ", row.unit, " | ", row.help, " |\n");
  }
  return text;
}

}  // namespace mantissa::metrics
