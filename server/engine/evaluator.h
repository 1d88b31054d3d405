// Loss and accuracy of a model on a split of the data.
//
//   BatchSource test(data, data.test, {.batch_size = 128});
//   ASSIGN_OR_RETURN(EvaluationResult result,
//                    Evaluate(runner, test, StepRunner::Evaluation::kAssigned));
#ifndef MANTISSA_SERVER_ENGINE_EVALUATOR_H_
#define MANTISSA_SERVER_ENGINE_EVALUATOR_H_

#include <cstdint>
#include <optional>

#include "absl/status/statusor.h"
#include "server/engine/batches.h"
#include "server/engine/step.h"

namespace mantissa::engine {

struct EvaluationResult {
  int64_t samples = 0;
  int64_t labels = 0, correct = 0;  // as in StepResult
  // Means over samples, or over labels where there are any, of the batches' losses: rounded to the
  // loss tensor's format, and not.
  double loss = 0, loss_unrounded = 0;
  // None where targets are no labels.
  std::optional<double> accuracy() const {
    if (labels == 0) return std::nullopt;
    return static_cast<double>(correct) / static_cast<double>(labels);
  }
};

// Changes nothing in the model. REQUIRES: `source` neither shuffles nor changes samples.
absl::StatusOr<EvaluationResult> Evaluate(StepRunner& runner, BatchSource& source,
                                          StepRunner::Evaluation evaluation);

}  // namespace mantissa::engine

#endif  // MANTISSA_SERVER_ENGINE_EVALUATOR_H_
