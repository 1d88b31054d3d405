#include "planner/schedule/schedule.h"

#include <algorithm>
#include <map>
#include <random>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/status.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "planner/graph/graph.h"
#include "planner/graph/loss.h"
#include "planner/graph/operator_table.h"
#include "planner/models/builder.h"
#include "planner/models/models.h"

namespace mantissa::planner {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

Graph ModelGraph(const std::string& name) {
  Graph graph = BuildModel({.name = name, .width = 0.25}).value();
  MANTISSA_CHECK_OK(AttachLoss(graph, {}));
  return graph;
}

// Runs a schedule on paper: what is alive is a set, and each task may touch only what is in it.
class Simulation {
 public:
  Simulation(const Graph& graph, const TensorTable& tensors, const Schedule& schedule)
      : graph_(graph), tensors_(tensors), schedule_(schedule) {}

  void Run() {
    for (const ValueId input : graph_.inputs()) values_.insert(input);
    if (schedule_.options.training) parts_[graph_.loss()] = 1;
    for (now_ = 0; now_ < schedule_.tasks.size(); ++now_) {
      RunTask(schedule_.tasks[now_]);
      if (now_ + 1 == static_cast<size_t>(schedule_.forward_tasks)) EndForward();
    }
    EXPECT_THAT(values_, IsEmpty());
    EXPECT_THAT(parameters_, IsEmpty());
    EXPECT_THAT(kept_, IsEmpty());
    if (!schedule_.options.training) return;
    EXPECT_THAT(parts_, IsEmpty());
    EXPECT_EQ(parameter_gradients_.size(), graph_.parameters().size());
  }

  const std::map<ValueId, int>& made() const { return made_; }

 private:
  void RunTask(const Task& task) {
    SCOPED_TRACE(graph_.node(task.node).name + " in task " + std::to_string(now_));
    for (const ValueId parameter : task.round_parameters) {
      // Once a pass.
      const bool forward = task.kind == Task::Kind::kForward;
      EXPECT_TRUE(rounded_.insert({forward, parameter}).second) << "rounded twice";
      EXPECT_TRUE(parameters_.insert(parameter).second) << "rounded while alive";
    }
    for (const ValueId read : ReadsOf(task)) ExpectAlive(read);
    if (task.kind == Task::Kind::kBackward) {
      Backward(task.node);
    } else {
      Make(task);
    }
    for (const ValueId value : task.release_values) {
      EXPECT_EQ(values_.erase(value), 1) << "released while dead: " << graph_.value(value).name;
      ExpectNotReadBeforeMade(value);
    }
    for (const ValueId parameter : task.release_parameters) {
      EXPECT_EQ(parameters_.erase(parameter), 1) << graph_.value(parameter).name;
    }
    for (const NodeId node : task.release_kept) {
      EXPECT_EQ(node, task.node);
      EXPECT_EQ(kept_.erase(node), 1);
    }
  }

  std::vector<ValueId> ReadsOf(const Task& task) const {
    return task.kind == Task::Kind::kBackward ? schedule_.rules[task.node].reads
                                              : TensorInputs(graph_, task.node);
  }

  void ExpectAlive(ValueId read) {
    const ValueKind kind = graph_.value(read).kind;
    const ValueId source = tensors_.Resolve(read);
    if (graph_.value(source).kind == ValueKind::kParameter) {
      EXPECT_TRUE(parameters_.contains(source)) << graph_.value(source).name;
    }
    if (kind == ValueKind::kComputed || kind == ValueKind::kInput) {
      EXPECT_TRUE(values_.contains(read)) << graph_.value(read).name;
    }
  }

  void Make(const Task& task) {
    for (const ValueId output : graph_.node(task.node).outputs) {
      EXPECT_TRUE(values_.insert(output).second) << "made while alive";
      ++made_[output];
    }
    const bool keeps = KeptBytes(graph_, task.node, schedule_.rules[task.node], 8) > 0;
    if (task.kind == Task::Kind::kForward && schedule_.options.training && keeps) {
      kept_.insert(task.node);
    }
    if (task.kind == Task::Kind::kRecompute && keeps) {
      // Statistics are still there to be used again.
      EXPECT_TRUE(kept_.contains(task.node));
    }
  }

  // A gradient is a list of parts, one from each consumer; all must be there.
  void Backward(NodeId node) {
    for (const ValueId output : graph_.node(node).outputs) {
      EXPECT_EQ(parts_[output], std::max(1, Consumers(output))) << "parts of a gradient";
      parts_.erase(output);
    }
    for (const ValueId input : TensorInputs(graph_, node)) {
      if (graph_.value(input).kind == ValueKind::kParameter) parameter_gradients_.insert(input);
      if (graph_.value(input).kind == ValueKind::kComputed) ++parts_[input];
    }
  }

  int Consumers(ValueId value) const {
    int consumers = 0;
    for (NodeId node = 0; node < static_cast<NodeId>(graph_.nodes().size()); ++node) {
      const std::vector<ValueId> inputs = TensorInputs(graph_, node);
      consumers += static_cast<int>(std::count(inputs.begin(), inputs.end(), value));
    }
    return consumers;
  }

  // A release that comes early shows when the value is read; one that comes late shows here: the
  // task must be the value's last reader, or its maker, or the end of the forward pass.
  void ExpectNotReadBeforeMade(ValueId value) {
    const Task& task = schedule_.tasks[now_];
    const std::vector<ValueId> reads = ReadsOf(task);
    const std::vector<ValueId>& outputs = graph_.node(task.node).outputs;
    const bool touched = std::count(reads.begin(), reads.end(), value) > 0 ||
                         std::count(outputs.begin(), outputs.end(), value) > 0;
    const bool is_result = value == graph_.output() || value == graph_.loss();
    const bool ends_forward = now_ + 1 == static_cast<size_t>(schedule_.forward_tasks);
    EXPECT_TRUE(touched || (is_result && ends_forward)) << graph_.value(value).name;
  }

  void EndForward() {
    EXPECT_EQ(std::vector<ValueId>(values_.begin(), values_.end()), schedule_.saved);
  }

  const Graph& graph_;
  const TensorTable& tensors_;
  const Schedule& schedule_;
  size_t now_ = 0;
  std::set<ValueId> values_, parameters_, parameter_gradients_;
  std::set<std::pair<bool, ValueId>> rounded_;
  std::set<NodeId> kept_;
  std::map<ValueId, int> parts_, made_;
};

class ScheduleOfModelsTest : public testing::TestWithParam<std::string> {
 protected:
  ScheduleOfModelsTest() : graph_(ModelGraph(GetParam())), tensors_(graph_) {}

  Schedule Check(const ScheduleOptions& options) {
    Schedule schedule = MakeSchedule(graph_, tensors_, options);
    Simulation simulation(graph_, tensors_, schedule);
    simulation.Run();
    made_ = simulation.made();
    return schedule;
  }

  Graph graph_;
  TensorTable tensors_;
  std::map<ValueId, int> made_;  // how often, in the last Check()
};

TEST_P(ScheduleOfModelsTest, EverythingLivesFromMakerToLastReaderAndDiesOnce) {
  const Schedule schedule = Check({.training = true});
  EXPECT_EQ(schedule.tasks.size(), 2 * graph_.nodes().size());
}

TEST_P(ScheduleOfModelsTest, AnEvaluationRunsForwardAndKeepsNothing) {
  const Schedule schedule = Check({.training = false});
  EXPECT_EQ(schedule.tasks.size(), graph_.nodes().size());
  EXPECT_THAT(schedule.saved, IsEmpty());
}

TEST_P(ScheduleOfModelsTest, RecomputingAllThatCanBeSavesNoneOfIt) {
  const std::vector<bool> all = CanRecompute(graph_, tensors_);
  const Schedule schedule = Check({.training = true, .recompute = all});
  for (const ValueId saved : schedule.saved) {
    EXPECT_FALSE(all[tensors_.Resolve(saved)]) << graph_.value(saved).name;
  }
  EXPECT_LT(schedule.saved.size(), Check({.training = true}).saved.size());
}

TEST_P(ScheduleOfModelsTest, AnyChoiceOfRecomputedValuesIsRunAsExactly) {
  std::mt19937 random(7);
  for (int round = 0; round < 20; ++round) {
    std::vector<bool> some = CanRecompute(graph_, tensors_);
    for (size_t value = 0; value < some.size(); ++value) {
      if (random() % 3 == 0) some[value] = false;
    }
    const Schedule schedule = Check({.training = true, .recompute = some});
    for (const auto& [value, times] : made_) {
      const bool recomputed = some[tensors_.Resolve(value)];
      EXPECT_TRUE(times == 1 || recomputed) << graph_.value(value).name;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(AllModels, ScheduleOfModelsTest,
                         testing::Values("resnet18", "mobilenet_v2", "shufflenet_v2", "squeezenet"),
                         [](const auto& info) { return info.param; });

std::vector<std::string> Names(const Graph& graph, const std::vector<ValueId>& values) {
  std::vector<std::string> names;
  for (const ValueId value : values) names.push_back(graph.value(value).name);
  return names;
}

// input -> conv1 -> bn -> relu -> conv2 -> average -> flatten -> linear
Graph SmallGraph() {
  GraphBuilder net("small", {3, 4, 4});
  ValueId x = net.Conv("conv1", net.input(), 2, {.kernel = 3, .padding = 1});
  x = net.Relu("relu", net.BatchNorm("bn", x));
  x = net.Conv("conv2", x, 2, {});
  x = net.Flatten("flatten", net.AvgPool("average", x, 4, 4));
  Graph graph = std::move(net).Finish(net.Linear("linear", x, 3));
  MANTISSA_CHECK_OK(AttachLoss(graph, {}));
  return graph;
}

TEST(MakeSchedule, SavesWhatBackwardReadsThroughViewsToo) {
  const Graph graph = SmallGraph();
  const Schedule schedule = MakeSchedule(graph, TensorTable(graph), {});
  EXPECT_THAT(Names(graph, schedule.saved),
              ElementsAre("input", "conv1", "relu", "flatten", "criterion.logsoftmax"));
}

TEST(MakeSchedule, RecomputesReluOutOfBatchNormJustBeforeItIsRead) {
  const Graph graph = SmallGraph();
  const TensorTable tensors(graph);
  const Schedule schedule =
      MakeSchedule(graph, tensors, {.recompute = CanRecompute(graph, tensors)});
  // The pooled map is not worth it, but it can be: flatten shows it.
  EXPECT_THAT(Names(graph, schedule.saved),
              ElementsAre("input", "conv1", "conv2", "criterion.logsoftmax"));
  std::vector<std::string> order;
  for (size_t i = schedule.forward_tasks; i < schedule.tasks.size(); ++i) {
    const bool again = schedule.tasks[i].kind == Task::Kind::kRecompute;
    order.push_back((again ? "again " : "") + graph.node(schedule.tasks[i].node).name);
  }
  EXPECT_THAT(order, ElementsAre("criterion.nllloss", "criterion.logsoftmax", "again average",
                                 "again flatten", "linear", "flatten", "average", "again bn",
                                 "again relu", "conv2", "relu", "bn", "conv1"));
}

TEST(MakeSchedule, RoundsAParameterForEachPassAtItsFirstUseAndDropsItAfterItsLast) {
  const Graph graph = SmallGraph();
  const Schedule schedule = MakeSchedule(graph, TensorTable(graph), {});
  const auto task_of = [&](Task::Kind kind, const std::string& name) -> const Task& {
    for (const Task& task : schedule.tasks) {
      if (task.kind == kind && graph.node(task.node).name == name) return task;
    }
    ADD_FAILURE() << name;
    return schedule.tasks[0];
  };
  const Task& forward = task_of(Task::Kind::kForward, "bn");
  EXPECT_THAT(Names(graph, forward.round_parameters), ElementsAre("bn.weight", "bn.bias"));
  EXPECT_THAT(Names(graph, forward.release_parameters), ElementsAre("bn.weight", "bn.bias"));
  const Task& backward = task_of(Task::Kind::kBackward, "bn");
  EXPECT_THAT(Names(graph, backward.round_parameters), ElementsAre("bn.weight"));
  EXPECT_THAT(Names(graph, backward.release_parameters), ElementsAre("bn.weight"));
  // The image's gradient is not computed.
  EXPECT_THAT(Names(graph, task_of(Task::Kind::kForward, "conv1").release_parameters),
              ElementsAre("conv1.weight"));
}

// Two branches: one that the loss does not depend on.
TEST(MakeSchedule, WhatTheLossDoesNotDependOnHasNoBackwardTaskAndKeepsNothing) {
  GraphBuilder net("branch", {3, 4, 4});
  const ValueId x = net.Conv("conv", net.input(), 2, {.kernel = 4});
  net.Relu("idle", x);
  Graph graph = std::move(net).Finish(net.Flatten("flatten", x));
  MANTISSA_CHECK_OK(AttachLoss(graph, {}));
  const Schedule schedule = MakeSchedule(graph, TensorTable(graph), {});
  for (const Task& task : schedule.tasks) {
    if (graph.node(task.node).name != "idle") continue;
    EXPECT_EQ(task.kind, Task::Kind::kForward);
    EXPECT_THAT(task.release_kept, ElementsAre(task.node));
    EXPECT_THAT(Names(graph, task.release_values), ElementsAre("idle"));
  }
}

TEST(CanRecompute, LeavesOutProductsTheLossAndTheNetworksOutput) {
  const Graph graph = ModelGraph("squeezenet");
  const TensorTable tensors(graph);
  const std::vector<bool> can = CanRecompute(graph, tensors);
  for (ValueId value = 0; value < static_cast<ValueId>(can.size()); ++value) {
    if (!can[value]) continue;
    EXPECT_EQ(tensors.Resolve(value), value);
    EXPECT_FALSE(TraitsOf(graph.node(graph.value(value).producer).op).gemm);
  }
  // The logits are a view of the pooled map.
  EXPECT_FALSE(can[tensors.Resolve(graph.output())]);
  EXPECT_FALSE(can[graph.loss()]);
}

}  // namespace
}  // namespace mantissa::planner
