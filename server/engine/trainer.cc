#include "server/engine/trainer.h"

#include <algorithm>
#include <cmath>
#include <memory>
#include <thread>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/status.h"
#include "server/engine/batches.h"
#include "server/engine/checkpoint.h"
#include "server/engine/evaluator.h"
#include "server/engine/fit.h"
#include "server/engine/gpu.h"
#include "server/engine/memory_budget.h"
#include "server/engine/memory_timeline.h"
#include "server/engine/model_state.h"
#include "server/engine/schedule.h"
#include "server/engine/start_state.h"
#include "server/engine/step.h"
#include "server/engine/step_options.h"
#include "server/engine/torch_error.h"

namespace mantissa::engine {
namespace {

// Memory is told of again when a step needs this much more.
constexpr double kTellGrowth = 1.01;
constexpr int kMostLoaderThreads = 16;

ScheduleOptions ScheduleOf(const TrainingOptions& options) {
  const int after_warmup = std::max(1, options.epochs - options.warmup_epochs);
  return {.kind = options.schedule,
          .base = options.learning_rate,
          .epochs = options.schedule_epochs > 0 ? options.schedule_epochs : after_warmup,
          .step_epochs = std::max(1, options.step_epochs),
          .step_gamma = options.step_gamma,
          .warmup_epochs = options.warmup_epochs};
}

// Samples that are only copied need one thread to keep up with a model; decoding takes as many as
// there are.
int LoaderThreads(const TrainingOptions& options, const data::SampleSource& samples) {
  if (options.loader_threads > 0) return options.loader_threads;
  const int most = static_cast<int>(std::thread::hardware_concurrency());
  return samples.decodes() ? std::clamp(most, 1, kMostLoaderThreads) : 1;
}

absl::StatusOr<std::string> DeviceName(const at::Device& device) {
  if (device.is_cpu()) return std::string("cpu");
  ASSIGN_OR_RETURN(const GpuInfo gpu, GetGpuInfo());
  return gpu.name;
}

// One training from its first step, or the first after a checkpoint, to its last.
class Training {
 public:
  Training(planner::Plan& plan, const data::LoadedDataset& data, const TrainingOptions& options,
           const at::Device& device, TrainingObserver& observer)
      : plan_(plan),
        options_(options),
        device_(device),
        observer_(observer),
        schedule_(ScheduleOf(options)),
        train_(data, *data.train, LayoutOf(plan.graph),
               {.batch_size = options.batch_size,
                .shuffle = options.shuffle,
                .augment = options.augment,
                .seed = options.seed,
                .device = device,
                .threads = LoaderThreads(options, *data.train)}),
        test_(data, *data.test, LayoutOf(plan.graph),
              {.batch_size = options.batch_size,
               .device = device,
               .threads = LoaderThreads(options, *data.test)}),
        timeline_(device) {
    total_steps_ = options.epochs * StepsOfEpoch();
    if (options.max_steps > 0) total_steps_ = std::min(total_steps_, options.max_steps);
  }

  absl::StatusOr<TrainingResult> Run();

 private:
  absl::Status Prepare();
  absl::Status RunEpoch();
  absl::Status RunStep(int64_t step_of_epoch);
  absl::Status EvaluateNow();
  // Of the step just done, which ran with `formats`.
  absl::Status TellMemory(const StepRecord& record, const planner::MemoryForecast& measured,
                          const std::vector<kernels::Format>& formats);
  absl::Status CheckpointIfDue();
  bool done() const { return progress_.step >= total_steps_; }
  // The last of an epoch takes the batches that are left.
  int64_t StepsOfEpoch() const {
    const int64_t batches = plan_.request.accumulate_batches;
    return (train_.batches() + batches - 1) / batches;
  }

  planner::Plan& plan_;
  const TrainingOptions& options_;
  const at::Device device_;
  TrainingObserver& observer_;
  const ScheduleOptions schedule_;
  BatchSource train_, test_;
  int64_t total_steps_ = 0;
  int64_t batch_samples_ = 0;  // of the batch loaded last

  MemoryTimeline timeline_;  // before the tensors
  ModelState state_;
  std::unique_ptr<StepRunner> runner_;
  Progress progress_;
  absl::Duration last_checkpoint_;
  EvaluationRecord evaluation_;
  MemoryRecord memory_;
  int64_t measured_steps_ = 0;
  int64_t told_peak_bytes_ = 0;
};

absl::Status Training::Prepare() {
  ASSIGN_OR_RETURN(state_, StartState(plan_.graph, options_));
  MoveState(device_, state_);
  StepOptions step_options = StepOptionsOf(plan_, options_, StepsOfEpoch());
  step_options.runner.timeline = &timeline_;
  ASSIGN_OR_RETURN(runner_, StepRunner::Create(plan_, state_, step_options));
  if (!options_.resume_path.empty()) {
    ASSIGN_OR_RETURN(
        progress_, LoadCheckpoint(RealFileSystem(), options_.resume_path, plan_, state_, *runner_));
    if (progress_.step != progress_.epoch * StepsOfEpoch()) {
      return absl::InvalidArgumentError(absl::StrCat(
          options_.resume_path, " is of step ", progress_.step, ", epoch ", progress_.epoch,
          "; this training has ", StepsOfEpoch(),
          " steps an epoch. Resume with the data and the batch size of the first run."));
    }
  }
  return absl::OkStatus();
}

absl::Status Training::RunStep(int64_t step_of_epoch) {
  if (observer_.Cancelled()) return absl::CancelledError("the training was cancelled");
  const absl::Duration start = RealClock().Monotonic();
  const int64_t first = step_of_epoch * plan_.request.accumulate_batches;
  const int64_t count = std::min(plan_.request.accumulate_batches, train_.batches() - first);
  int64_t next = first;
  const auto load = [&]() -> absl::StatusOr<Batch> {
    ASSIGN_OR_RETURN(Batch batch, train_.Load(progress_.epoch, next++));
    batch_samples_ = batch.size();
    return batch;
  };
  StepRecord record{.step = progress_.step + 1,
                    .total_steps = total_steps_,
                    .epoch = progress_.epoch,
                    .learning_rate = LearningRate(schedule_, progress_.epoch)};
  const std::vector<kernels::Format> formats = plan_.assignment.formats;
  ASSIGN_OR_RETURN(StepResult result,
                   runner_->Step(record.step, count, load, record.learning_rate));
  const planner::MemoryForecast& memory = timeline_.EndStep();
  progress_.step = record.step;
  progress_.skipped_steps += result.skipped ? 1 : 0;
  record.samples = result.samples;
  record.loss = result.loss;
  record.loss_unrounded = result.loss_unrounded;
  record.loss_scale = result.loss_scale;
  record.skipped = result.skipped;
  record.promoted = std::move(result.promotion.promoted);
  record.max_overflow_ratio = result.promotion.max_overflow_ratio;
  record.bits = runner_->promoter().bits();
  record.ratio_low_bits = runner_->promoter().ratio_low_bits();
  record.seconds = absl::ToDoubleSeconds(RealClock().Monotonic() - start);
  record.peak_memory_bytes = memory.peak_bytes;
  RETURN_IF_ERROR(observer_.OnStep(record));
  RETURN_IF_ERROR(TellMemory(record, memory, formats));
  // Weights that end with such a loss are nobody's result, however few steps were skipped.
  if (done() && !std::isfinite(record.loss_unrounded)) {
    return absl::AbortedError(absl::StrCat("the training diverged: the loss of its last step, ",
                                           record.step,
                                           ", is not finite. Use a smaller learning rate."));
  }
  if (runner_->scaler().diverged()) {
    return absl::AbortedError(
        absl::StrCat("the training diverged: step ", record.step, " was skipped like ",
                     runner_->scaler().state().skips_in_row - 1,
                     " before it because gradients are not finite; the loss is ",
                     record.loss_unrounded, ", the loss scale ", runner_->scaler().scale(),
                     ". Use a smaller learning rate or a lower low ratio."));
  }
  return absl::OkStatus();
}

absl::Status Training::TellMemory(const StepRecord& record, const planner::MemoryForecast& measured,
                                  const std::vector<kernels::Format>& formats) {
  // Without an update it is no whole step.
  if (record.skipped) return absl::OkStatus();
  ++measured_steps_;
  if (measured.peak_bytes > memory_.measured.peak_bytes) {
    memory_.step = record.step;
    memory_.measured = measured;
    memory_.predicted =
        planner::PredictMemory(plan_.graph, plan_.tensors, formats, plan_.schedule, batch_samples_,
                               planner::MemoryOptionsOf(plan_.request));
  }
  const bool grew =
      static_cast<double>(memory_.measured.peak_bytes) > kTellGrowth * told_peak_bytes_;
  // The first step may make what the later ones find.
  if (!grew || (measured_steps_ < 2 && !done())) return absl::OkStatus();
  told_peak_bytes_ = memory_.measured.peak_bytes;
  return observer_.OnMemory(memory_);
}

absl::Status Training::RunEpoch() {
  for (int64_t i = 0; i < StepsOfEpoch() && !done(); ++i) RETURN_IF_ERROR(RunStep(i));
  const bool last = done();
  if (last || (progress_.epoch + 1) % std::max(1, options_.evaluate_every) == 0) {
    RETURN_IF_ERROR(EvaluateNow());
  }
  ++progress_.epoch;
  return last ? absl::OkStatus() : CheckpointIfDue();
}

absl::Status Training::EvaluateNow() {
  ASSIGN_OR_RETURN(const EvaluationResult assigned,
                   Evaluate(*runner_, test_, StepRunner::Evaluation::kAssigned));
  EvaluationResult fp32 = assigned;
  if (options_.round) {
    ASSIGN_OR_RETURN(fp32, Evaluate(*runner_, test_, StepRunner::Evaluation::kFp32));
  }
  evaluation_ = {.epoch = progress_.epoch,
                 .step = progress_.step,
                 .samples = assigned.samples,
                 .accuracy = assigned.accuracy(),
                 .loss = assigned.loss_unrounded,
                 .accuracy_fp32 = fp32.accuracy(),
                 .loss_fp32 = fp32.loss_unrounded};
  return observer_.OnEvaluation(evaluation_);
}

absl::Status Training::CheckpointIfDue() {
  if (options_.output_dir.empty() || options_.checkpoint_seconds < 0) return absl::OkStatus();
  const absl::Duration now = RealClock().Monotonic();
  if (now - last_checkpoint_ < absl::Seconds(options_.checkpoint_seconds)) return absl::OkStatus();
  const std::string path = JoinPath(options_.output_dir, "checkpoint.safetensors");
  RETURN_IF_ERROR(SaveCheckpoint(RealFileSystem(), path, plan_, state_, *runner_, progress_));
  last_checkpoint_ = now;
  return observer_.OnCheckpoint(path, progress_.step);
}

absl::StatusOr<TrainingResult> Training::Run() {
  const absl::Duration start = RealClock().Monotonic();
  last_checkpoint_ = start;
  RETURN_IF_ERROR(Prepare());
  ASSIGN_OR_RETURN(memory_.device, DeviceName(device_));
  RETURN_IF_ERROR(observer_.OnStart(total_steps_, progress_.step + 1));
  // A checkpoint of the last epoch leaves only the evaluation to do.
  if (done()) RETURN_IF_ERROR(EvaluateNow());
  while (!done()) RETURN_IF_ERROR(RunEpoch());

  TrainingResult result{
      .final_evaluation = evaluation_,
      .steps = progress_.step,
      .skipped_steps = progress_.skipped_steps,
      .promoted_tensors = static_cast<int64_t>(runner_->promoter().promoted().size()),
      .seconds = absl::ToDoubleSeconds(RealClock().Monotonic() - start)};
  if (!options_.output_dir.empty()) {
    result.weights_path = JoinPath(options_.output_dir, "weights.safetensors");
    RETURN_IF_ERROR(SaveState(RealFileSystem(), result.weights_path, plan_.graph, state_));
    if (!state_.averages.empty()) {
      ModelState averaged = state_;
      averaged.parameters = state_.averages;
      result.ema_weights_path = JoinPath(options_.output_dir, "weights_ema.safetensors");
      RETURN_IF_ERROR(SaveState(RealFileSystem(), result.ema_weights_path, plan_.graph, averaged));
    }
  }
  return result;
}

}  // namespace

absl::StatusOr<TrainingResult> Train(planner::Plan& plan, const data::LoadedDataset& data,
                                     const TrainingOptions& options, TrainingObserver& observer) {
  RETURN_IF_ERROR(CheckFit(plan, data, options));
  return CatchTorch([&]() -> absl::StatusOr<TrainingResult> {
    ASSIGN_OR_RETURN(const at::Device device, OpenDevice(options.device));
    MakeDeterministic(options, device);
    if (device.is_cuda()) FitTiles(planner::kGpuTileBytes, plan);
    return Training(plan, data, options, device, observer).Run();
  });
}

}  // namespace mantissa::engine
