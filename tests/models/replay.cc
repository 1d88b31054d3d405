#include "tests/models/replay.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "ATen/Functions.h"
#include "absl/time/time.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/status.h"
#include "planner/graph/operator_table.h"
#include "planner/plan.h"
#include "server/engine/archive_state.h"
#include "server/engine/memory_timeline.h"
#include "server/engine/step.h"
#include "server/models/pt2.h"
#include "tests/models/guesses.h"

namespace mantissa::model_replay {
namespace {

// How near the first loss must be for a reading of the data text to be the right one.
constexpr double kSameLoss = 1e-4;

double L2(const at::Tensor& tensor) { return tensor.to(at::kDouble).norm().item<double>(); }

double MaxAbs(const at::Tensor& tensor) {
  return tensor.numel() == 0 ? 0 : tensor.to(at::kDouble).abs().max().item<double>();
}

// dtheta of the first step, unscaled.
class GradientRecorder : public engine::RoundingProbe {
 public:
  GradientRecorder(const planner::Graph& graph, double scale) : graph_(graph), scale_(scale) {}

  void OnRounding(const engine::RoundingSite& site, const at::Tensor&,
                  const at::Tensor& after) override {
    if (site.kind != planner::TensorKind::kParameterGradient) return;
    const at::Tensor gradient = after.to(at::kDouble).contiguous() / scale_;
    SeenGradient& seen = gradients[graph_.value(site.value).name];
    seen = {.l2 = L2(gradient), .max_abs = MaxAbs(gradient)};
    for (int64_t i = 0; i < std::min<int64_t>(8, gradient.numel()); ++i)
      seen.first.push_back(gradient.const_data_ptr<double>()[i]);
  }

  std::map<std::string, SeenGradient> gradients;

 private:
  const planner::Graph& graph_;
  const double scale_;
};

engine::ModelState CopyOf(const engine::ModelState& state) {
  engine::ModelState copy = state;
  for (auto* tensors : {&copy.parameters, &copy.buffers}) {
    for (at::Tensor& tensor : *tensors) tensor = tensor.clone();
  }
  return copy;
}

absl::StatusOr<planner::Plan> PlanOf(const Model& model, const TrainOptions& options) {
  planner::PlanRequest request{
      .model = {.name = model.exported.name},
      .uploaded = model.graph,
      .loss = model.loss,
      .batch_size = options.batch_size > 0 ? options.batch_size : model.batch_size,
      .recompute = planner::Recompute::kNone};
  if (options.low_ratio) {
    request.precision = {.policy = "demotion", .low_ratio = *options.low_ratio};
  } else {
    request.precision = {.policy = "none"};
  }
  return planner::MakePlan(request);
}

engine::StepOptions StepOptionsOf(const Model& model, const planner::Plan& plan,
                                  const TrainOptions& options, engine::MemoryTimeline* timeline) {
  const bool low = options.low_ratio.has_value();
  const double momentum = model.recorded ? model.recorded->momentum : 0.9;
  const double decay = model.recorded ? model.recorded->weight_decay : 5e-4;
  return {.seed = options.seed,
          // With the policy none nothing is narrower than float32, but the probe is told.
          .round = true,
          .batch_size = plan.request.batch_size,
          .promotion_threshold = low ? 0.01 : 2.0,
          .loss_scale = {.scale = low ? 1024.0 : 1.0, .dynamic = low, .growth_interval = 1000},
          .optimizer = {.kind = planner::OptimizerKind::kSgd,
                        .momentum = momentum,
                        .weight_decay = decay},
          .runner = {.tile_bytes = plan.request.tile_bytes,
                     .recompute = plan.recompute,
                     .timeline = timeline}};
}

void RecordState(const planner::Graph& graph, const engine::ModelState& before,
                 const engine::ModelState& after, Training& training) {
  const auto record = [&](const std::vector<planner::ValueId>& ids,
                          const std::vector<at::Tensor>& first,
                          const std::vector<at::Tensor>& last) {
    for (size_t i = 0; i < ids.size(); ++i) {
      const std::string& name = graph.value(ids[i]).name;
      if (!last[i].is_floating_point()) {
        if (last[i].numel() == 1) training.final_counts[name] = last[i].item<int64_t>();
        continue;
      }
      const at::Tensor way = last[i].to(at::kDouble) - first[i].to(at::kDouble);
      training.initial_l2[name] = L2(first[i]);
      training.final_l2[name] = L2(last[i]);
      training.travel[name] = {.l2 = L2(way), .max_abs = MaxAbs(way)};
    }
  };
  record(graph.parameters(), before.parameters, after.parameters);
  record(graph.buffers(), before.buffers, after.buffers);
}

// Whether the archive's loss of the first batch is the recorded one.
absl::StatusOr<bool> FitsFirstLoss(const Model& model) {
  ASSIGN_OR_RETURN(
      const Training training,
      Train(model, {.learning_rate = model.recorded->usual.learning_rate, .steps = 1}));
  const double wanted = model.recorded->usual.exact[0];
  return std::abs(training.losses[0] - wanted) <= kSameLoss * std::abs(wanted) + 1e-12;
}

absl::Status FindSamples(const std::string& folder, const planner::Graph& with_loss, Model& model) {
  ASSIGN_OR_RETURN(const Files files, ReadFiles(folder, model.recorded->files));
  auto said = SamplesOf(with_loss, *model.recorded, files);
  if (said.ok()) {
    model.samples = *said;
    ASSIGN_OR_RETURN(const bool fits, FitsFirstLoss(model));
    if (fits) return absl::OkStatus();
  }
  auto other = OtherReading(with_loss, *model.recorded, files, [&](const Samples& samples) {
    model.samples = samples;
    const auto fits = FitsFirstLoss(model);
    return fits.ok() && *fits;
  });
  if (other) {
    model.samples = *std::move(other);
    return absl::OkStatus();
  }
  // None: what the text says stands, and the comparison fails on it.
  if (said.ok()) model.samples = *std::move(said);
  return said.status();
}

void NameTensors(const models::Archive& archive, Model& model) {
  const auto add = [&](const std::vector<planner::ValueId>& ids,
                       const std::vector<models::StoredTensor>& tensors) {
    for (size_t i = 0; i < ids.size(); ++i) {
      for (const std::string& name : tensors[i].names)
        model.names[name] = model.graph->value(ids[i]).name;
    }
  };
  add(model.graph->parameters(), archive.parameters);
  add(model.graph->buffers(), archive.buffers);
}

}  // namespace

absl::StatusOr<Model> OpenModel(const std::string& folder, const Exported& exported) {
  Model model{.exported = exported};
  ASSIGN_OR_RETURN(models::Archive archive, models::ReadPt2(exported.archive, {}));
  model.graph = std::make_shared<const planner::Graph>(archive.graph);
  ASSIGN_OR_RETURN(model.state, engine::ArchiveState(archive));
  NameTensors(archive, model);
  for (const planner::Node& node : model.graph->nodes()) {
    if (!planner::TraitsOf(node.op).known) model.unknown_operators.push_back(node.op);
  }
  if (!exported.json.empty()) {
    ASSIGN_OR_RETURN(model.recorded, ReadRecorded(exported.json));
    model.loss = model.recorded->loss;
    model.batch_size = model.recorded->batch_size;
  } else {
    model.loss = LikelyLoss(*model.graph);
  }
  planner::Graph with_loss = *model.graph;
  RETURN_IF_ERROR(planner::AttachLoss(with_loss, model.loss));
  if (model.recorded) {
    RETURN_IF_ERROR(FindSamples(folder, with_loss, model));
  } else {
    ASSIGN_OR_RETURN(model.samples, MadeUpSamples(with_loss, folder));
  }
  return model;
}

absl::StatusOr<Training> Train(const Model& model, const TrainOptions& options) {
  engine::MemoryTimeline timeline(at::kCPU);
  // Samples and the archive's own tensors are nobody's step.
  const int64_t before = timeline.meter().Live().total();
  ASSIGN_OR_RETURN(planner::Plan plan, PlanOf(model, options));
  engine::ModelState state = CopyOf(model.state);
  const engine::StepOptions step_options = StepOptionsOf(model, plan, options, &timeline);
  ASSIGN_OR_RETURN(auto runner, engine::StepRunner::Create(plan, state, step_options));
  GradientRecorder recorder(plan.graph, step_options.loss_scale.scale);
  Training training{.groups = plan.tensors.group_count(),
                    .predicted_bytes = plan.memory.peak_bytes};
  const absl::Duration start = RealClock().Monotonic();
  for (int i = 0; i < options.steps; ++i) {
    if (i == 0) runner->set_probe(&recorder);
    ASSIGN_OR_RETURN(
        const engine::StepResult result,
        runner->Step(i + 1, BatchOf(plan.graph, model.samples, i, plan.request.batch_size),
                     options.learning_rate));
    runner->set_probe(nullptr);
    training.losses.push_back(result.loss_unrounded);
    training.promoted += static_cast<int>(result.promotion.promoted.size());
    training.skipped += result.skipped ? 1 : 0;
    // The first one warms up: momentum is made in it, and it was watched.
    if (i > 0)
      training.measured_bytes =
          std::max(training.measured_bytes, timeline.EndStep().peak_bytes - before);
  }
  training.seconds = absl::ToDoubleSeconds(RealClock().Monotonic() - start);
  training.gradients = std::move(recorder.gradients);
  RecordState(plan.graph, model.state, state, training);
  ASSIGN_OR_RETURN(const auto evaluation,
                   runner->Evaluate(BatchOf(plan.graph, model.samples, 0, plan.request.batch_size),
                                    engine::StepRunner::Evaluation::kAssigned));
  training.evaluation_loss = evaluation.loss;
  return training;
}

}  // namespace mantissa::model_replay
