// Trains one network one way with the engine and prints what a step needed, as a line of JSON: the
// counterpart of pytorch_step.py.
//
//   ours --name 'r = 1.0' --model resnet18 --policy demotion --low-ratio 1 --batch 128 --steps 2
//
// With --device cuda it runs on a GPU (server/engine/gpu.h). Bytes are those of tensors, measured.
// `predicted_bytes` is the planner's peak, `peak` the moment of the measured one.

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <ctime>
#include <map>
#include <string>
#include <vector>

#include "ATen/Parallel.h"
#include "ATen/core/Tensor.h"
#include "ATen/ops/arange.h"
#include "ATen/ops/linspace.h"
#include "CLI/CLI.hpp"
#include "absl/time/time.h"
#include "base/clock.h"
#include "base/status.h"
#include "c10/core/impl/VirtualGuardImpl.h"
#include "nlohmann/json.hpp"
#include "planner/plan.h"
#include "server/engine/gpu.h"
#include "server/engine/memory_timeline.h"
#include "server/engine/model_state.h"
#include "server/engine/options.h"
#include "server/engine/step.h"

namespace mantissa::engine {
namespace {

using nlohmann::json;

struct Arguments {
  std::string name;
  planner::PlanRequest request = {.model = {.classes = 10}};
  double low_ratio = -1;  // below 0: not given
  int steps = 1;
  int threads = 1;
  DeviceChoice device = DeviceChoice::kCpu;
};

CLI::App* AddFlags(CLI::App& app, Arguments& arguments) {
  planner::PlanRequest& request = arguments.request;
  app.add_option("--name", arguments.name, "Copied to the result");
  app.add_option("--model", request.model.name, "Built-in network")->required();
  app.add_option("--width", request.model.width, "Width of the network");
  app.add_option("--batch", request.batch_size, "Samples a step");
  app.add_option("--policy", request.precision.policy, "Policy of precision");
  app.add_option("--low-ratio", arguments.low_ratio, "Low ratio of the policy");
  app.add_option("--steps", arguments.steps, "Steps that are measured, after one that is not");
  app.add_option("--threads", arguments.threads, "Threads of LibTorch");
  const std::map<std::string, DeviceChoice> devices = {{"cpu", DeviceChoice::kCpu},
                                                       {"cuda", DeviceChoice::kCuda}};
  app.add_option("--device", arguments.device, "What it runs on")
      ->transform(CLI::CheckedTransformer(devices));
  const std::map<std::string, planner::Recipe> recipes = {{"paper", planner::Recipe::kPaper},
                                                          {"bf16", planner::Recipe::kBf16}};
  app.add_option("--recipe", request.recipe, "What is computed with")
      ->transform(CLI::CheckedTransformer(recipes));
  const std::map<std::string, planner::OptimizerStateWidth> widths = {
      {"fp32", planner::OptimizerStateWidth::kFp32},
      {"bf16", planner::OptimizerStateWidth::kBf16},
      {"int8", planner::OptimizerStateWidth::kInt8}};
  app.add_option("--optimizer-state", request.optimizer_state, "Momentum")
      ->transform(CLI::CheckedTransformer(widths));
  const std::map<std::string, planner::Recompute> recompute = {
      {"none", planner::Recompute::kNone}, {"cheap", planner::Recompute::kCheap}};
  request.recompute = planner::Recompute::kNone;
  app.add_option("--recompute", request.recompute, "What is computed twice")
      ->transform(CLI::CheckedTransformer(recompute));
  return &app;
}

json Bytes(const planner::MemoryByKind& by_kind) {
  using planner::MemoryKind;
  return {{"masters", by_kind.of(MemoryKind::kMasters)},
          {"weights", by_kind.of(MemoryKind::kWeights)},
          {"activations", by_kind.of(MemoryKind::kActivations)},
          {"gradients", by_kind.of(MemoryKind::kGradients)},
          {"optimizer", by_kind.of(MemoryKind::kOptimizer)},
          {"workspace", by_kind.of(MemoryKind::kWorkspace)}};
}

json Moment(const planner::Graph& graph, const planner::MemoryForecast& memory) {
  constexpr const char* kPhases[] = {"forward", "recompute", "backward"};
  const planner::MemoryPoint& point = memory.points[memory.peak];
  const bool update = point.node == planner::kNoNode;
  return {{"phase", update ? "update" : kPhases[static_cast<int>(point.kind)]},
          {"operator", update ? "" : graph.node(point.node).name},
          {"bytes", Bytes(point.by_kind)}};
}

json Parameters(const planner::Graph& graph) {
  json result = json::array();
  for (const planner::ValueId id : graph.parameters()) {
    const planner::Value& value = graph.value(id);
    std::vector<int64_t> sizes;
    for (const planner::Dim& dim : value.shape) sizes.push_back(dim.factor);
    result.push_back({value.name, sizes});
  }
  return result;
}

StepOptions StepOptionsOf(const planner::Plan& plan, MemoryTimeline* timeline) {
  const planner::PlanRequest& request = plan.request;
  return {.round = request.precision.policy != "none",
          .batch_size = request.batch_size,
          .loss_scale = {.scale = 1024},
          .optimizer = {.state = request.optimizer_state},
          .runner = {.wide = request.recipe == planner::Recipe::kBf16 ? at::kBFloat16 : at::kFloat,
                     .tile_bytes = request.tile_bytes,
                     .recompute = plan.recompute,
                     .timeline = timeline}};
}

void Wait(const at::Device& device) {
  if (device.is_cuda())
    c10::impl::VirtualGuardImpl(device.type()).synchronizeDevice(device.index());
}

json Measure(Arguments arguments, const at::Device& device) {
  at::set_num_threads(arguments.threads);
  MemoryTimeline timeline(device);
  if (device.is_cuda()) arguments.request.tile_bytes = planner::kGpuTileBytes;
  auto plan = planner::MakePlan(arguments.request);
  MANTISSA_CHECK_OK(plan);
  auto state = InitialState(plan->graph, plan->request.model, /*seed=*/1);
  MANTISSA_CHECK_OK(state);
  MoveState(device, *state);
  const int64_t batch_size = plan->request.batch_size;
  auto runner = StepRunner::Create(*plan, *state, StepOptionsOf(*plan, &timeline));
  MANTISSA_CHECK_OK(runner);
  // A step uses its batch up, as a training does.
  const auto batch = [&] {
    return Batch{
        .inputs = {at::linspace(-2, 2, batch_size * 3 * 32 * 32, at::kFloat)
                       .view({batch_size, 3, 32, 32})
                       .to(device)},
        .target =
            at::arange(batch_size, at::kLong).remainder(plan->request.model.classes).to(device)};
  };
  json result = {{"name", arguments.name},
                 {"parameters", Parameters(plan->graph)},
                 {"low_ratio", plan->cost.ratio_low_groups},
                 {"predicted_bytes", plan->memory.peak_bytes},
                 {"peak_bytes", 0},
                 {"saved_bytes", 0}};
  double seconds = 1e9, wall_seconds = 1e9;
  for (int step = 0; step <= arguments.steps; ++step) {
    const std::clock_t begin = std::clock();  // of all threads
    const absl::Duration wall_begin = RealClock().Monotonic();
    MANTISSA_CHECK_OK((*runner)->Step(step + 1, batch(), /*learning_rate=*/0.01));
    Wait(device);
    if (step == 0) continue;  // the first one warms up
    seconds = std::min(seconds, static_cast<double>(std::clock() - begin) / CLOCKS_PER_SEC);
    wall_seconds =
        std::min(wall_seconds, absl::ToDoubleSeconds(RealClock().Monotonic() - wall_begin));
    const planner::MemoryForecast& memory = timeline.EndStep();
    if (memory.peak_bytes > result["peak_bytes"]) {
      result["peak_bytes"] = memory.peak_bytes;
      result["peak"] = Moment(plan->graph, memory);
    }
    result["saved_bytes"] =
        std::max(result["saved_bytes"].get<int64_t>(), memory.saved_for_backward_bytes);
  }
  result["seconds"] = seconds;
  result["wall_seconds"] = wall_seconds;
  return result;
}

int Main(int argc, char** argv) {
  Arguments arguments;
  CLI::App app("Measures a training step of the engine.");
  AddFlags(app, arguments);
  CLI11_PARSE(app, argc, argv);
  if (arguments.low_ratio >= 0) arguments.request.precision.low_ratio = arguments.low_ratio;
  const auto device = OpenDevice(arguments.device);
  if (!device.ok()) {
    std::fprintf(stderr, "%s\n", std::string(device.status().message()).c_str());
    return 1;
  }
  std::puts(Measure(arguments, *device).dump().c_str());
  return 0;
}

}  // namespace
}  // namespace mantissa::engine

int main(int argc, char** argv) { return mantissa::engine::Main(argc, argv); }
