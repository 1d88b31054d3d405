#include "server/engine/evaluator.h"

#include "base/status.h"
#include "server/engine/torch_error.h"

namespace mantissa::engine {

absl::StatusOr<EvaluationResult> Evaluate(StepRunner& runner, BatchSource& source,
                                          StepRunner::Evaluation evaluation) {
  EvaluationResult result;
  double weights = 0;
  for (int64_t i = 0; i < source.batches(); ++i) {
    ASSIGN_OR_RETURN(const Batch batch, CatchTorch([&]() -> absl::StatusOr<Batch> {
                       return source.Load(/*epoch=*/0, i);
                     }));
    ASSIGN_OR_RETURN(const StepRunner::BatchEvaluation part, runner.Evaluate(batch, evaluation));
    result.samples += batch.size();
    result.labels += part.labels;
    result.correct += part.correct;
    const auto weight = static_cast<double>(part.labels > 0 ? part.labels : batch.size());
    weights += weight;
    result.loss += part.loss * weight;
    result.loss_unrounded += part.loss_unrounded * weight;
  }
  if (weights > 0) {
    result.loss /= weights;
    result.loss_unrounded /= weights;
  }
  return result;
}

}  // namespace mantissa::engine
