#include "client/cli/event_text.h"

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "client/cli/job_text.h"
#include "client/cli/text.h"

namespace mantissa::cli {

std::string StateText(const v1::StateChanged& change) {
  std::string text = StateName(change.to());
  if (change.has_failure()) absl::StrAppend(&text, ": ", FailureText(change.failure()));
  return text;
}

std::string LossScaleText(double before, const v1::StepDone& step) {
  return absl::StrCat("loss scale ", Number(before), " -> ", Number(step.loss_scale()), " at step ",
                      step.step());
}

std::string PromotionText(const v1::PromotedTensor& tensor, int64_t step) {
  return absl::StrCat("promoted ", tensor.name(), " (", KindName(tensor.kind()), ", overflow ",
                      Percent(tensor.overflow_ratio()), ") at step ", step);
}

std::string StepText(const v1::StepDone& step) {
  return absl::StrCat("step ", step.step(), "/", step.total_steps(), ", epoch ", step.epoch(),
                      ": loss ", Number(step.loss_unrounded()), ", lr ",
                      Number(step.learning_rate()), ", loss scale ", Number(step.loss_scale()),
                      ", low ", Percent(step.ratio_low_bits()),
                      step.skipped() ? ", skipped: a gradient was not finite" : "");
}

std::string EvaluationText(const v1::Evaluation& evaluation) {
  if (!evaluation.has_accuracy()) {
    return absl::StrCat("evaluated after epoch ", evaluation.epoch(), ": loss ",
                        Number(evaluation.loss()), "; in fp32 ", Number(evaluation.loss_fp32()));
  }
  return absl::StrCat("evaluated after epoch ", evaluation.epoch(), ": accuracy ",
                      Percent(evaluation.accuracy()), ", loss ", Number(evaluation.loss()),
                      "; in fp32 ", Percent(evaluation.accuracy_fp32()), ", ",
                      Number(evaluation.loss_fp32()));
}

std::string PlanText(const v1::Plan& plan) {
  std::string text =
      absl::StrCat("planned ", Count(plan.total_elements()), " elements in ", plan.groups_size(),
                   " groups, low ", Percent(plan.ratio_low_bits()), ", ", BitsAsBytes(plan.bits()),
                   " instead of ", BitsAsBytes(plan.bits_fp32()), " in fp32");
  if (plan.memory().peak_bytes() > 0) {
    absl::StrAppend(&text, "; a step is predicted to need ", Bytes(plan.memory().peak_bytes()));
  }
  if (plan.recompute_size() > 0) {
    absl::StrAppend(&text, ", ", plan.recompute_size(), " operators recomputed");
  }
  return text;
}

std::string MemoryText(const v1::JobMemory& memory) {
  std::string text = absl::StrCat("a step needed ", Bytes(memory.measured().peak_bytes()),
                                  " of tensors at its peak");
  if (memory.predicted().peak_bytes() > 0) {
    absl::StrAppend(&text, ", predicted ", Bytes(memory.predicted().peak_bytes()));
  }
  if (memory.budget_bytes() > 0) {
    absl::StrAppend(&text, ", budget ", Bytes(memory.budget_bytes()));
  }
  return text;
}

std::vector<std::string> EventTexts(const v1::JobEvent& event) {
  switch (event.event_case()) {
    case v1::JobEvent::kStateChanged:
      return {StateText(event.state_changed())};
    case v1::JobEvent::kStepDone:
      return {StepText(event.step_done())};
    case v1::JobEvent::kEvaluated:
      return {EvaluationText(event.evaluated())};
    case v1::JobEvent::kPlanned:
      return {PlanText(event.planned())};
    case v1::JobEvent::kNotice:
      return {event.notice().message()};
    case v1::JobEvent::kTensorsPromoted: {
      std::vector<std::string> texts;
      for (const auto& tensor : event.tensors_promoted().tensors()) {
        texts.push_back(PromotionText(tensor, event.tensors_promoted().step()));
      }
      return texts;
    }
    case v1::JobEvent::kMemoryMeasured:
      return {MemoryText(event.memory_measured())};
    case v1::JobEvent::EVENT_NOT_SET:
      return {};
  }
  return {};
}

std::string EventLine(const v1::JobEvent& event, const std::string& text) {
  const absl::Time time = TimeOf(event.time());
  return absl::StrCat(absl::FormatTime("%H:%M:%S", time, absl::UTCTimeZone()), " ", Printable(text),
                      "\n");
}

}  // namespace mantissa::cli
