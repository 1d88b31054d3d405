// Holds a replayed model to what PyTorch did with it.
//
//   Report report = Examine(folder, exported);
//   Print(Line(report));             // report.failures says what is outside
//
// Gradients of step 0, parameter by parameter: |dg| <= tol |g| + 1e-6 |all gradients|, tol ten
// times what PyTorch's own float32 gradients are off, at least 1e-5. Losses against double
// precision: within ten times PyTorch's noise at that step, at least 1e-5; steps whose noise passes
// 1e-3 say nothing but the trend and are counted apart, and so are the weights after them.
#ifndef MANTISSA_TESTS_MODELS_JUDGE_H_
#define MANTISSA_TESTS_MODELS_JUDGE_H_

#include <string>
#include <vector>

#include "tests/models/recorded_model.h"
#include "tests/models/replay.h"

namespace mantissa::model_replay {

// How many of a kind were held to the recording, and the worst as a share of what is allowed.
struct Score {
  int judged = 0, left_out = 0;
  double worst = 0;
};

struct Report {
  std::string name;
  bool opened = false, has_figures = false;
  int groups = 0;
  Score gradients, losses, calm_losses, weights;
  struct Precision {
    double first_loss = 0, last_loss = 0;
    int promoted = 0, skipped = 0;
    int64_t predicted_bytes = 0, measured_bytes = 0;
  };
  Precision fp32, half, low;
  double seconds = 0;
  std::vector<std::string> notes;     // what was assumed; operators that the planner does not know
  std::vector<std::string> failures;  // empty: all is within
};

// Everything that is compared of one model; an error becomes a failure.
Report Examine(const std::string& folder, const Exported& exported);

// Parts of it, for tests. Append to `failures`.
Score JudgeGradients(const RecordedModel& recorded, const Model& model, const Training& training,
                     std::vector<std::string>& failures);
Score JudgeLosses(const RecordedLosses& recorded, const Training& training,
                  std::vector<std::string>& failures);
Score JudgeWeights(const RecordedModel& recorded, const RecordedLosses& run, const Model& model,
                   const Training& training, std::vector<std::string>& failures);

}  // namespace mantissa::model_replay

#endif  // MANTISSA_TESTS_MODELS_JUDGE_H_
