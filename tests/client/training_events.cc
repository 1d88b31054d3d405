#include "absl/strings/str_cat.h"
#include "client/cc/follow.h"
#include "tests/client/fake_server.h"

namespace mantissa {
namespace {

constexpr int64_t kNoon = 1'795'521'600;  // 2026-11-24 12:00:00 UTC

// Appends events with their numbers and times.
class Script {
 public:
  explicit Script(std::vector<v1::JobEvent>& events) : events_(events) {}

  v1::JobEvent& Next() {
    v1::JobEvent& event = events_.emplace_back();
    event.set_sequence(static_cast<int64_t>(events_.size()));
    event.mutable_time()->set_seconds(kNoon + static_cast<int64_t>(events_.size()));
    event.set_attempt(1);
    return event;
  }

  void Change(v1::JobState from, v1::JobState to) {
    v1::StateChanged* change = Next().mutable_state_changed();
    change->set_from(from);
    change->set_to(to);
    if (to != v1::JOB_STATE_FAILED) return;
    change->mutable_failure()->set_cause(v1::FAILURE_CAUSE_DIVERGED);
    change->mutable_failure()->set_message("the loss is not finite. Use a smaller --lr.");
  }

  // Step 2 is skipped, and halves the loss scale of those after it.
  void Step(int step, int steps) {
    v1::StepDone* done = Next().mutable_step_done();
    done->set_step(step);
    done->set_total_steps(steps);
    done->set_epoch((step - 1) / 2);
    done->set_loss(2.0 / step);
    done->set_loss_unrounded(2.0 / step);
    done->set_learning_rate(0.1);
    done->set_loss_scale(step <= 2 ? 65536 : 32768);
    done->set_skipped(step == 2);
    done->mutable_duration()->set_seconds(1);
    done->set_samples(64);
    done->set_bits(900);
    done->set_ratio_low_bits(0.4987);
    done->set_max_overflow_ratio(0.001);
  }

  void Promote(int step) {
    v1::TensorsPromoted* promoted = Next().mutable_tensors_promoted();
    promoted->set_step(step);
    v1::PromotedTensor* tensor = promoted->add_tensors();
    tensor->set_name("layer1.0.conv1");
    tensor->set_kind(v1::TENSOR_KIND_ACTIVATION);
    tensor->set_overflow_ratio(0.019);
  }

  void Evaluate(int epoch, int step) {
    v1::Evaluation* evaluation = Next().mutable_evaluated();
    evaluation->set_epoch(epoch);
    evaluation->set_step(step);
    evaluation->set_accuracy(0.9521);
    evaluation->set_loss(0.21);
    evaluation->set_accuracy_fp32(0.956);
    evaluation->set_loss_fp32(0.2);
    evaluation->set_samples(360);
  }

 private:
  std::vector<v1::JobEvent>& events_;
};

v1::StepMemory SmallMemory(int64_t peak) {
  v1::StepMemory memory;
  memory.set_peak_bytes(peak);
  memory.set_saved_for_backward_bytes(peak / 2);
  memory.mutable_peak()->set_phase(v1::STEP_PHASE_BACKWARD);
  memory.mutable_peak()->set_operator_("layer1.0.conv1");
  v1::MemoryBytes& bytes = *memory.mutable_peak()->mutable_bytes();
  bytes.set_masters(peak / 4);
  bytes.set_activations(peak / 2);
  bytes.set_workspace(peak - peak / 4 - peak / 2);
  bytes.set_total(peak);
  return memory;
}

void AddBaseline(const char* name, int64_t peak, bool measured, v1::MemoryBaseline& baseline) {
  baseline.set_name(name);
  baseline.set_peak_bytes(peak);
  baseline.set_measured(measured);
}

v1::JobMemory MeasuredMemory() {
  v1::JobMemory memory;
  *memory.mutable_measured() = SmallMemory(101 << 10);
  *memory.mutable_predicted() = SmallMemory(100 << 10);
  AddBaseline("fp32", 404 << 10, /*measured=*/true, *memory.add_baselines());
  memory.set_device("cpu");
  memory.set_step(1);
  return memory;
}

v1::Plan SmallPlan() {
  v1::Plan plan;
  plan.set_batch_size(64);
  plan.set_total_elements(100);
  v1::GroupPlan* group = plan.add_groups();
  group->set_elements(100);
  group->set_low(true);
  plan.set_ratio_low_groups(1);
  plan.set_ratio_low_bits(0.5);
  plan.set_bits(880);
  plan.set_bits_high(1600);
  plan.set_bits_fp32(3200);
  *plan.mutable_memory() = SmallMemory(100 << 10);
  AddBaseline("fp32", 400 << 10, /*measured=*/false, *plan.add_baselines());
  plan.add_recompute("layer1.0.bn1");
  return plan;
}

}  // namespace

v1::JobMemory SteppedMemory(int operators) {
  constexpr int64_t kKiB = 1024;
  v1::JobMemory memory;
  v1::StepMemory &measured = *memory.mutable_measured(), &predicted = *memory.mutable_predicted();
  const auto add = [&](v1::StepPhase phase, const std::string& name, int64_t activations,
                       int64_t gradients) {
    v1::MemoryPoint& point = *measured.add_timeline();
    point.set_phase(phase);
    point.set_operator_(name);
    v1::MemoryBytes& bytes = *point.mutable_bytes();
    bytes.set_masters(20 * kKiB);
    bytes.set_optimizer(20 * kKiB);
    bytes.set_activations(activations);
    bytes.set_gradients(gradients);
    bytes.set_workspace(5 * kKiB);
    bytes.set_total(45 * kKiB + activations + gradients);
    if (bytes.total() > measured.peak_bytes()) {
      measured.set_peak_bytes(bytes.total());
      *measured.mutable_peak() = point;
    }
    v1::MemoryPoint& expected = *predicted.add_timeline();
    expected = point;
    expected.mutable_bytes()->set_total(bytes.total() * 104 / 100);
  };
  for (int i = 1; i <= operators; ++i) {
    add(v1::STEP_PHASE_FORWARD, "op" + std::to_string(i), i * 10 * kKiB, 0);
  }
  for (int i = operators; i >= 1; --i) {
    add(v1::STEP_PHASE_BACKWARD, "op" + std::to_string(i), i * 10 * kKiB, 10 * kKiB);
  }
  add(v1::STEP_PHASE_UPDATE, "", 0, 20 * kKiB);
  measured.set_saved_for_backward_bytes(operators * 10 * kKiB);
  predicted.set_peak_bytes(measured.peak_bytes() * 104 / 100);
  *predicted.mutable_peak() = measured.peak();
  memory.set_device("cpu");
  memory.set_step(2);
  AddBaseline("fp32", 4 * measured.peak_bytes(), /*measured=*/true, *memory.add_baselines());
  AddBaseline("16-bit", 2 * measured.peak_bytes(), /*measured=*/true, *memory.add_baselines());
  AddBaseline("operator", 3 * measured.peak_bytes(), /*measured=*/false, *memory.add_baselines());
  return memory;
}

std::vector<v1::JobEvent> TrainingEvents(int steps, v1::JobState end) {
  std::vector<v1::JobEvent> events;
  Script script(events);
  script.Change(v1::JOB_STATE_UNSPECIFIED, v1::JOB_STATE_PENDING);
  script.Change(v1::JOB_STATE_PENDING, v1::JOB_STATE_PLANNING);
  *script.Next().mutable_planned() = SmallPlan();
  script.Change(v1::JOB_STATE_PLANNING, v1::JOB_STATE_RUNNING);
  *script.Next().mutable_memory_measured() = MeasuredMemory();
  for (int step = 1; step <= steps; ++step) {
    script.Step(step, steps);
    if (step == 2) script.Promote(step);
  }
  script.Evaluate((steps - 1) / 2, steps);
  if (client::IsEnded(end)) script.Change(v1::JOB_STATE_RUNNING, end);
  return events;
}

v1::Job TrainedJob(const std::string& id, const std::vector<v1::JobEvent>& events) {
  v1::Job job;
  job.set_id(id);
  job.mutable_spec()->set_name("demo");
  (*job.mutable_spec()->mutable_labels())["team"] = "vision";
  job.mutable_spec()->set_dataset("digits");
  job.mutable_spec()->mutable_model()->set_model("builtin:resnet18");
  job.mutable_spec()->mutable_model()->set_width(0.25);
  job.mutable_spec()->mutable_precision()->set_policy(v1::POLICY_NAME_DEMOTION);
  job.mutable_spec()->mutable_precision()->set_low_ratio(0.5);
  job.mutable_spec()->mutable_training()->set_epochs(2);
  job.mutable_spec()->mutable_training()->set_batch_size(64);
  *job.mutable_create_time() = events.front().time();
  *job.mutable_start_time() = events[3].time();
  job.set_attempt(1);
  job.set_last_sequence(events.back().sequence());
  for (const v1::JobEvent& event : events) {
    if (event.has_planned()) *job.mutable_plan() = event.planned();
    if (event.has_memory_measured()) *job.mutable_memory() = event.memory_measured();
    if (event.has_evaluated()) *job.mutable_progress()->mutable_evaluation() = event.evaluated();
    if (event.has_state_changed()) job.set_state(event.state_changed().to());
    if (!event.has_step_done()) continue;
    job.mutable_progress()->set_step(event.step_done().step());
    job.mutable_progress()->set_total_steps(event.step_done().total_steps());
    job.mutable_progress()->set_epoch(event.step_done().epoch());
    job.mutable_progress()->set_loss_unrounded(event.step_done().loss_unrounded());
    job.mutable_progress()->set_loss_scale(event.step_done().loss_scale());
    job.mutable_progress()->set_ratio_low_bits(event.step_done().ratio_low_bits());
    job.mutable_progress()->set_bits(event.step_done().bits());
    job.mutable_progress()->set_promoted_tensors(1);
  }
  const v1::StateChanged& last = events.back().state_changed();
  if (client::IsEnded(last.to())) *job.mutable_end_time() = events.back().time();
  if (last.has_failure()) *job.mutable_failure() = last.failure();
  return job;
}

}  // namespace mantissa
