// Trains what a recorded run trained, with the engine.
//
//   ASSIGN_OR_RETURN(Replay replay, ReplayRun(recording, run));
//   replay.steps[0].loss
#ifndef MANTISSA_TESTS_REFERENCE_REPLAY_H_
#define MANTISSA_TESTS_REFERENCE_REPLAY_H_

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "tests/reference/recorded_run.h"

namespace mantissa::reference {

// As recorded, where the engine gives the same.
struct Replay {
  std::vector<std::string> plan_differences;
  std::vector<RecordedStep> steps;
  // By name as in RecordedStep::promoted: the overflow ratio at which a tensor was promoted.
  std::map<std::string, double> promotion_ratios;
  std::map<std::string, RecordedTensor> first_tensors;
  std::vector<RecordedEvaluation> evaluations;
  std::map<std::string, double> final_weights;
  double seconds = 0;
};

absl::StatusOr<Replay> ReplayRun(const Recording& recording, const RecordedRun& run);

}  // namespace mantissa::reference

#endif  // MANTISSA_TESTS_REFERENCE_REPLAY_H_
