#include "server/metrics/job_metrics.h"

#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "absl/time/time.h"

namespace mantissa::metrics {
namespace {

// "worker_died" for FAILURE_CAUSE_WORKER_DIED.
std::string CauseLabel(v1::FailureCause cause) {
  return absl::AsciiStrToLower(absl::StripPrefix(v1::FailureCause_Name(cause), "FAILURE_CAUSE_"));
}

std::string KindLabel(v1::TensorKind kind) {
  return kind == v1::TENSOR_KIND_PARAMETER ? "parameter" : "activation";
}

std::vector<std::pair<std::string, int64_t>> ByKind(const v1::MemoryBytes& bytes) {
  return {{"masters", bytes.masters()},         {"weights", bytes.weights()},
          {"activations", bytes.activations()}, {"gradients", bytes.gradients()},
          {"optimizer", bytes.optimizer()},     {"workspace", bytes.workspace()}};
}

}  // namespace

JobMetrics::JobMetrics(Metrics& metrics, Clock& clock) : metrics_(metrics), clock_(clock) {
  for (const char* kind : {"activation", "parameter"}) metrics_.Add(Metric::kPromotions, {kind}, 0);
  for (const v1::FailureCause cause : {v1::FAILURE_CAUSE_WORKER_DIED, v1::FAILURE_CAUSE_WORKER_LOST,
                                       v1::FAILURE_CAUSE_OUT_OF_MEMORY}) {
    metrics_.Add(Metric::kWorkerDeaths, {CauseLabel(cause)}, 0);
  }
}

void JobMetrics::OnEvent(const v1::Job& job, const v1::JobEvent& event) {
  if (event.has_step_done()) OnStep(job, event.step_done());
  if (event.has_evaluated()) OnEvaluation(job.id(), event.evaluated());
  if (event.has_tensors_promoted()) OnPromotion(job, event.tensors_promoted());
  if (event.has_memory_measured()) OnMemory(job.id(), event.memory_measured());
  // No longer running, be it for a moment: a later attempt brings the series back.
  if (event.has_state_changed() && event.state_changed().to() != v1::JOB_STATE_RUNNING) {
    RemoveSeries(job.id());
  }
}

void JobMetrics::OnStep(const v1::Job& job, const v1::StepDone& step) {
  const std::string& id = job.id();
  metrics_.Add(Metric::kSteps, {});
  metrics_.Add(Metric::kSkippedSteps, {}, step.skipped() ? 1 : 0);
  metrics_.Observe(Metric::kJobStepDuration, {id},
                   step.duration().seconds() + 1e-9 * step.duration().nanos());
  metrics_.Set(Metric::kJobLoss, {id}, step.loss_unrounded());
  metrics_.Set(Metric::kJobLossScale, {id}, step.loss_scale());
  metrics_.Set(Metric::kJobSamplesRate, {id}, job.progress().samples_per_second());
  metrics_.Set(Metric::kJobSkippedSteps, {id}, job.progress().skipped_steps());
  metrics_.Set(Metric::kJobPromotedTensors, {id}, job.progress().promoted_tensors());
  metrics_.Set(Metric::kJobLowRatio, {id}, step.ratio_low_bits());
  metrics_.Set(Metric::kJobOverflowRatio, {id}, step.max_overflow_ratio());
  metrics_.Set(Metric::kJobPeakMemory, {id}, job.progress().peak_memory_bytes());
  metrics_.Set(Metric::kJobLastStep, {id}, absl::ToUnixMillis(clock_.Now()) / 1000.0);
}

void JobMetrics::OnEvaluation(const std::string& job, const v1::Evaluation& evaluation) {
  if (!evaluation.has_accuracy()) return;
  metrics_.Set(Metric::kJobAccuracy, {job, "assigned"}, evaluation.accuracy());
  metrics_.Set(Metric::kJobAccuracy, {job, "fp32"}, evaluation.accuracy_fp32());
}

void JobMetrics::OnPromotion(const v1::Job& job, const v1::TensorsPromoted& promoted) {
  for (const v1::PromotedTensor& tensor : promoted.tensors()) {
    metrics_.Add(Metric::kPromotions, {KindLabel(tensor.kind())});
  }
  metrics_.Set(Metric::kJobPromotedTensors, {job.id()}, job.progress().promoted_tensors());
}

void JobMetrics::OnMemory(const std::string& job, const v1::JobMemory& memory) {
  for (const auto& [kind, bytes] : ByKind(memory.measured().peak().bytes())) {
    metrics_.Set(Metric::kJobPeakMemoryByKind, {job, kind}, bytes);
  }
  metrics_.Set(Metric::kJobPredictedMemory, {job}, memory.predicted().peak_bytes());
  if (memory.budget_bytes() > 0) {
    metrics_.Set(Metric::kJobMemoryBudget, {job}, memory.budget_bytes());
  }
}

void JobMetrics::OnWorkerStarted() { metrics_.Add(Metric::kWorkerStarts, {}); }

void JobMetrics::OnWorkerDied(v1::FailureCause cause) {
  metrics_.Add(Metric::kWorkerDeaths, {CauseLabel(cause)});
}

void JobMetrics::OnUploaded(int64_t bytes) {
  metrics_.Add(Metric::kUploadedBytes, {}, static_cast<double>(bytes));
}

void JobMetrics::RemoveSeries(const std::string& job) {
  for (const MetricRow& row : MetricTable()) {
    if (row.labels == std::vector<std::string>{"job"}) metrics_.Remove(row.metric, {job});
  }
  for (const auto& kind_and_bytes : ByKind({})) {
    metrics_.Remove(Metric::kJobPeakMemoryByKind, {job, kind_and_bytes.first});
  }
  metrics_.Remove(Metric::kJobAccuracy, {job, "assigned"});
  metrics_.Remove(Metric::kJobAccuracy, {job, "fp32"});
}

}  // namespace mantissa::metrics
