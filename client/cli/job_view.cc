#include "client/cli/job_view.h"

#include <algorithm>
#include <utility>

#include "client/cc/follow.h"
#include "client/cli/event_text.h"
#include "client/cli/job_text.h"

namespace mantissa::cli {
namespace {

constexpr size_t kMostRemarks = 20;
// Steps that the speed is taken from.
constexpr size_t kMostStepTimes = 50;

void ForgetFrom(int64_t step, std::vector<int64_t>& steps) {
  while (!steps.empty() && steps.back() >= step) steps.pop_back();
}

}  // namespace

JobView::JobView(const v1::Job& job)
    : job_(job), start_(TimeOf(job.start_time())), end_(TimeOf(job.end_time())) {}

void JobView::Apply(const v1::JobEvent& event) {
  switch (event.event_case()) {
    case v1::JobEvent::kStateChanged:
      ApplyState(event);
      break;
    case v1::JobEvent::kStepDone:
      ApplyStep(event);
      break;
    case v1::JobEvent::kTensorsPromoted:
      ApplyPromotions(event.tensors_promoted());
      break;
    case v1::JobEvent::kEvaluated:
      evaluation_ = event.evaluated();
      if (event.evaluated().has_accuracy()) accuracies_.Add(event.evaluated().accuracy());
      break;
    case v1::JobEvent::kPlanned:
      *job_.mutable_plan() = event.planned();
      break;
    case v1::JobEvent::kNotice:
      Remark(event.notice().message());
      break;
    case v1::JobEvent::kMemoryMeasured:
      *job_.mutable_memory() = event.memory_measured();
      break;
    case v1::JobEvent::EVENT_NOT_SET:  // of a newer server
      break;
  }
}

void JobView::ApplyState(const v1::JobEvent& event) {
  const v1::StateChanged& change = event.state_changed();
  job_.set_state(change.to());
  if (change.has_failure()) *job_.mutable_failure() = change.failure();
  if (change.to() == v1::JOB_STATE_RUNNING) {
    start_ = TimeOf(event.time());
    step_times_.clear();
  }
  if (client::IsEnded(change.to())) end_ = TimeOf(event.time());
  Remark(StateText(change));
}

void JobView::ApplyStep(const v1::JobEvent& event) {
  const v1::StepDone& step = event.step_done();
  ForgetFrom(step.step(), skipped_);
  ForgetFrom(step.step(), promoted_);
  if (step.skipped()) skipped_.push_back(step.step());
  const double scale_before = last_step_.loss_scale();
  if (last_step_.step() > 0 && scale_before != step.loss_scale()) {
    Remark(LossScaleText(scale_before, step));
  }
  last_step_ = step;
  losses_.Add(step.loss_unrounded());
  step_times_.push_back({step.step(), TimeOf(event.time()), step.samples()});
  if (step_times_.size() > kMostStepTimes) step_times_.pop_front();
}

void JobView::ApplyPromotions(const v1::TensorsPromoted& promotions) {
  promoted_.insert(promoted_.end(), promotions.tensors_size(), promotions.step());
  for (const v1::PromotedTensor& tensor : promotions.tensors()) {
    Remark(PromotionText(tensor, promotions.step()));
  }
}

void JobView::Remark(std::string text) {
  remarks_.push_back(std::move(text));
  if (remarks_.size() > kMostRemarks) remarks_.pop_front();
}

double JobView::Progress() const {
  if (state() == v1::JOB_STATE_SUCCEEDED) return 1;
  if (last_step_.total_steps() <= 0) return 0;
  const double share =
      static_cast<double>(last_step_.step()) / static_cast<double>(last_step_.total_steps());
  return std::clamp(share, 0.0, 1.0);
}

std::optional<double> JobView::StepsPerSecond() const {
  if (step_times_.size() < 2) return std::nullopt;
  const double seconds = absl::ToDoubleSeconds(step_times_.back().time - step_times_.front().time);
  if (seconds <= 0) return std::nullopt;
  return static_cast<double>(step_times_.size() - 1) / seconds;
}

std::optional<double> JobView::SamplesPerSecond() const {
  const std::optional<double> steps = StepsPerSecond();
  if (!steps.has_value()) return std::nullopt;
  int64_t samples = 0;
  for (size_t i = 1; i < step_times_.size(); ++i) samples += step_times_[i].samples;
  return *steps * static_cast<double>(samples) / static_cast<double>(step_times_.size() - 1);
}

std::optional<absl::Duration> JobView::TimeLeft(absl::Time now) const {
  const std::optional<double> speed = StepsPerSecond();
  if (!speed.has_value() || client::IsEnded(state())) return std::nullopt;
  const int64_t steps = last_step_.total_steps() - last_step_.step();
  if (steps < 0) return std::nullopt;
  const absl::Duration left =
      absl::Seconds(static_cast<double>(steps) / *speed) - (now - step_times_.back().time);
  return std::max(left, absl::ZeroDuration());
}

absl::Duration JobView::Elapsed(absl::Time now) const {
  if (start_ == absl::InfinitePast()) return absl::ZeroDuration();
  const absl::Time until = end_ == absl::InfinitePast() ? now : end_;
  return std::max(until - start_, absl::ZeroDuration());
}

}  // namespace mantissa::cli
