#include "server/engine/worker_observer.h"

#include <google/protobuf/util/time_util.h>

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "base/log.h"
#include "base/status.h"
#include "mantissa/internal/v1/worker.pb.h"
#include "planner/wire/memory_proto.h"

namespace mantissa::engine {
namespace {

using internal::v1::WorkerReport;

// A checkpoint is worth no long wait: the next one is as good.
constexpr absl::Duration kCheckpointPatience = absl::Seconds(5);

google::protobuf::Duration ToProto(absl::Duration duration) {
  return google::protobuf::util::TimeUtil::NanosecondsToDuration(
      absl::ToInt64Nanoseconds(duration));
}

WorkerReport ToReport(const StepRecord& record) {
  WorkerReport report;
  v1::StepDone& step = *report.mutable_step_done();
  step.set_step(record.step);
  step.set_epoch(record.epoch);
  step.set_loss(record.loss);
  step.set_loss_unrounded(record.loss_unrounded);
  step.set_learning_rate(record.learning_rate);
  step.set_loss_scale(record.loss_scale);
  step.set_skipped(record.skipped);
  *step.mutable_duration() = ToProto(absl::Seconds(record.seconds));
  step.set_samples(record.samples);
  step.set_total_steps(record.total_steps);
  step.set_bits(record.bits);
  step.set_ratio_low_bits(record.ratio_low_bits);
  step.set_max_overflow_ratio(record.max_overflow_ratio);
  step.set_peak_memory_bytes(record.peak_memory_bytes);
  return report;
}

WorkerReport PromotionsReport(const StepRecord& record) {
  WorkerReport report;
  v1::TensorsPromoted& promoted = *report.mutable_tensors_promoted();
  promoted.set_step(record.step);
  for (const PromotedTensor& tensor : record.promoted) {
    v1::PromotedTensor& entry = *promoted.add_tensors();
    entry.set_name(tensor.name);
    entry.set_kind(tensor.kind == planner::TensorKind::kActivation ? v1::TENSOR_KIND_ACTIVATION
                                                                   : v1::TENSOR_KIND_PARAMETER);
    entry.set_overflow_ratio(tensor.overflow_ratio);
  }
  return report;
}

}  // namespace

WorkerObserver::WorkerObserver(rpc::WorkerChannel& channel, History& history, Options options)
    : channel_(channel),
      history_(history),
      options_(std::move(options)),
      budget_(options_.memory_budget_bytes) {}

absl::Status WorkerObserver::OnStart(int64_t total_steps, int64_t first_step) {
  started_ = true;
  if (first_step > 1) {
    RETURN_IF_ERROR(history_.ContinueFrom(options_.earlier_history, first_step));
  }
  const absl::Duration load_time = options_.load_time();
  LogInfo("training starts at step ", first_step, " of ", total_steps, "; loading took ",
          absl::FormatDuration(absl::Trunc(load_time, absl::Milliseconds(1))));
  WorkerReport report;
  report.mutable_started()->set_total_steps(total_steps);
  *report.mutable_started()->mutable_load_time() = ToProto(load_time);
  RETURN_IF_ERROR(channel_.Report(std::move(report)));
  if (first_step == 1) return absl::OkStatus();
  WorkerReport notice;
  notice.mutable_notice()->set_message(
      absl::StrCat("goes on from the checkpoint after step ", first_step - 1));
  return channel_.Report(std::move(notice));
}

absl::Status WorkerObserver::OnStep(const StepRecord& record) {
  RETURN_IF_ERROR(history_.Add(record));
  if (record.skipped) {
    LogInfo("step ", record.step, " was skipped: a gradient is not finite at loss scale ",
            record.loss_scale);
  }
  slowest_step_seconds_ = std::max(slowest_step_seconds_, record.seconds);
  RETURN_IF_ERROR(channel_.Report(ToReport(record)));
  if (record.promoted.empty()) return absl::OkStatus();
  LogInfo("step ", record.step, " promotes ",
          absl::StrJoin(record.promoted, ", ", [](std::string* out, const PromotedTensor& tensor) {
            out->append(TensorText(tensor));
          }));
  return channel_.Report(PromotionsReport(record));
}

absl::Status WorkerObserver::OnMemory(const MemoryRecord& record) {
  v1::JobMemory& memory = memory_.emplace();
  const auto to_proto = [this](const planner::MemoryForecast& step) {
    return planner::StepMemoryToProto(options_.graph, step, /*with_timeline=*/true);
  };
  *memory.mutable_measured() = to_proto(record.measured);
  *memory.mutable_predicted() = to_proto(record.predicted);
  memory.set_budget_bytes(options_.memory_budget_bytes);
  memory.set_device(record.device);
  memory.set_step(record.step);
  LogInfo("step ", record.step, " needed ", record.measured.peak_bytes,
          " bytes of tensors at its peak; predicted were ", record.predicted.peak_bytes);
  WorkerReport report;
  *report.mutable_memory_measured() = memory;
  RETURN_IF_ERROR(channel_.Report(std::move(report)));
  std::optional<std::string> over_budget =
      budget_.Check(record.step, record.measured.peak_bytes, record.predicted.peak_bytes);
  if (!over_budget) return absl::OkStatus();
  WorkerReport notice;
  notice.mutable_notice()->set_message(*std::move(over_budget));
  return channel_.Report(std::move(notice));
}

absl::Status WorkerObserver::OnEvaluation(const EvaluationRecord& record) {
  evaluation_ = record;
  RETURN_IF_ERROR(history_.Add(record));
  const auto text = [](const std::optional<double>& number) {
    return number.has_value() ? absl::StrCat(*number) : "none";
  };
  LogInfo("epoch ", record.epoch, ", step ", record.step, ": accuracy ", text(record.accuracy),
          " as assigned, ", text(record.accuracy_fp32), " in fp32; loss ", record.loss, " and ",
          record.loss_fp32);
  WorkerReport report;
  v1::Evaluation& evaluation = *report.mutable_evaluated();
  evaluation.set_epoch(record.epoch);
  evaluation.set_step(record.step);
  if (record.accuracy) evaluation.set_accuracy(*record.accuracy);
  evaluation.set_loss(record.loss);
  if (record.accuracy_fp32) evaluation.set_accuracy_fp32(*record.accuracy_fp32);
  evaluation.set_loss_fp32(record.loss_fp32);
  evaluation.set_samples(record.samples);
  return channel_.Report(std::move(report));
}

absl::Status WorkerObserver::OnCheckpoint(const std::string& path, int64_t step) {
  // The history first: with a newer checkpoint than history, lines would be missing for good.
  absl::Status status = channel_.WriteArtifact(kCheckpointHistoryArtifact, history_.path(),
                                               /*hidden=*/true, kCheckpointPatience);
  if (status.ok()) {
    status =
        channel_.WriteArtifact(kCheckpointArtifact, path, /*hidden=*/true, kCheckpointPatience);
  }
  if (!status.ok()) {
    LogWarning("the checkpoint after step ", step, " was not kept: ", status.ToString());
    return absl::OkStatus();
  }
  WorkerReport report;
  report.mutable_checkpoint_written()->set_name(kCheckpointArtifact);
  report.mutable_checkpoint_written()->set_step(step);
  return channel_.Report(std::move(report));
}

bool WorkerObserver::Cancelled() {
  return channel_.cancelled() || !channel_.health().ok() || options_.stop();
}

}  // namespace mantissa::engine
