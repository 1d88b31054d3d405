#include "server/engine/evaluator.h"

#include "base/status.h"
#include "server/engine/torch_error.h"

namespace mantissa::engine {

absl::StatusOr<EvaluationResult> Evaluate(StepRunner& runner, BatchSource& source,
                                          StepRunner::Evaluation evaluation) {
  EvaluationResult result;
  for (int64_t i = 0; i < source.batches(); ++i) {
    ASSIGN_OR_RETURN(const Batch batch, CatchTorch([&]() -> absl::StatusOr<Batch> {
                       return source.Load(/*epoch=*/0, i);
                     }));
    ASSIGN_OR_RETURN(const StepRunner::BatchEvaluation part, runner.Evaluate(batch, evaluation));
    const int64_t count = batch.labels.numel();
    result.samples += count;
    result.correct += part.correct;
    result.loss += part.loss * static_cast<double>(count);
    result.loss_unrounded += part.loss_unrounded * static_cast<double>(count);
  }
  if (result.samples > 0) {
    result.loss /= static_cast<double>(result.samples);
    result.loss_unrounded /= static_cast<double>(result.samples);
  }
  return result;
}

}  // namespace mantissa::engine
