// server/metrics/table.h
//
// Every metric of mantissad, once: the exporter, docs/metrics.md and lint read this table.
//
//   for (const MetricRow& row : MetricTable()) Print(row.name, row.help);
//
// Names follow Prometheus's rules: prefix mantissa_, base units, _total on counters. Labels are
// bounded: `job` is there only while the job runs, `method` is one of the API's.
#ifndef MANTISSA_SERVER_METRICS_TABLE_H_
#define MANTISSA_SERVER_METRICS_TABLE_H_

#include <string>
#include <vector>

namespace mantissa::metrics {

enum class Metric {
  kBuildInfo,
  kJobs,
  kQueueAge,
  kJobStepDuration,
  kSteps,
  kSkippedSteps,
  kPromotions,
  kJobLoss,
  kJobAccuracy,
  kJobLossScale,
  kJobSamplesRate,
  kJobSkippedSteps,
  kJobLowRatio,
  kJobPromotedTensors,
  kJobOverflowRatio,
  kJobLastStep,
  kJobPeakMemory,
  kJobPeakMemoryByKind,
  kJobPredictedMemory,
  kJobMemoryBudget,
  kWorkerStarts,
  kWorkerDeaths,
  kUploadedBytes,
  kFreeDisk,
  kRpcHandled,
  kRpcDuration,
};

enum class Kind { kCounter, kGauge, kHistogram };

struct MetricRow {
  Metric metric;
  std::string name;
  Kind kind;
  std::vector<std::string> labels;
  // Unit of the value: "seconds", "bytes", "ratio" (0 to 1), "" for counts.
  std::string unit;
  std::string help;
  // Upper bounds of a histogram's buckets, ascending.
  std::vector<double> buckets = {};
};

// In the order of the enum.
const std::vector<MetricRow>& MetricTable();
const MetricRow& RowOf(Metric metric);

// docs/metrics.md.
std::string MetricsMarkdown();

}  // namespace mantissa::metrics

#endif  // MANTISSA_SERVER_METRICS_TABLE_H_
