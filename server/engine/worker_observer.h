// server/engine/worker_observer.h
//
// Tells the server and history.jsonl what a training does.
//
//   WorkerObserver observer(channel, history, {.graph = plan.graph, ...});
//   absl::StatusOr<TrainingResult> result = Train(plan, data, options, observer);

#ifndef MANTISSA_SERVER_ENGINE_WORKER_OBSERVER_H_
#define MANTISSA_SERVER_ENGINE_WORKER_OBSERVER_H_

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "mantissa/v1/job.pb.h"
#include "planner/graph/graph.h"
#include "server/engine/memory_budget.h"
#include "server/engine/trainer.h"
#include "server/engine/worker_history.h"
#include "server/rpc/worker_channel.h"

namespace mantissa::engine {

// Artifacts that only a later attempt reads.
inline constexpr char kCheckpointArtifact[] = "checkpoint.safetensors";
inline constexpr char kCheckpointHistoryArtifact[] = "checkpoint-history.jsonl";

class WorkerObserver : public TrainingObserver {
 public:
  struct Options {
    // What is trained.
    const planner::Graph& graph;
    // Of the job; 0: none.
    int64_t memory_budget_bytes = 0;
    // Lines of an earlier attempt's history.jsonl, where this one goes on from its checkpoint.
    std::string earlier_history;
    // Time that everything before took.
    std::function<absl::Duration()> load_time;
    // Asked before each step: whether to stop for another reason than the server's command.
    std::function<bool()> stop;
  };
  // `channel` and `history` must outlive this.
  WorkerObserver(rpc::WorkerChannel& channel, History& history, Options options);

  absl::Status OnStart(int64_t total_steps, int64_t first_step) override;
  absl::Status OnStep(const StepRecord& record) override;
  absl::Status OnMemory(const MemoryRecord& record) override;
  absl::Status OnEvaluation(const EvaluationRecord& record) override;
  absl::Status OnCheckpoint(const std::string& path, int64_t step) override;
  bool Cancelled() override;

  bool started() const { return started_; }
  const std::optional<EvaluationRecord>& evaluation() const { return evaluation_; }
  // As last reported.
  const std::optional<v1::JobMemory>& memory() const { return memory_; }
  double slowest_step_seconds() const { return slowest_step_seconds_; }

 private:
  rpc::WorkerChannel& channel_;
  History& history_;
  const Options options_;
  bool started_ = false;
  std::optional<EvaluationRecord> evaluation_;
  std::optional<v1::JobMemory> memory_;
  double slowest_step_seconds_ = 0;
  BudgetWatch budget_;
};

}  // namespace mantissa::engine

#endif  // MANTISSA_SERVER_ENGINE_WORKER_OBSERVER_H_
