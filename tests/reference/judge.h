// Holds a replayed run to the recorded one.
//
//   Verdict verdict = Judge(run, replay, recording.noise);
//   Print(verdict.line);  // verdict.failures says what is outside the tolerances
//
// Rounding makes runs with all tensors low nearly exact, while fp32 runs at learning rate 0.1 soon
// differ by chaos. So the first step is held tightly, the low runs' first three steps exactly, and
// later steps only by loss scale, skips and the trend of the loss. Where noise.json lists a run, it
// says how many steps agree between runs of the recorded program itself.
#ifndef MANTISSA_TESTS_REFERENCE_JUDGE_H_
#define MANTISSA_TESTS_REFERENCE_JUDGE_H_

#include <string>
#include <vector>

#include "nlohmann/json.hpp"
#include "tests/reference/recorded_run.h"
#include "tests/reference/replay.h"

namespace mantissa::reference {

struct Verdict {
  std::string line;                   // of the table
  std::vector<std::string> failures;  // empty: within the tolerances
};

// The head of the table.
std::string TableHead();

Verdict Judge(const RecordedRun& run, const Replay& replay, const nlohmann::json& noise);

}  // namespace mantissa::reference

#endif  // MANTISSA_TESTS_REFERENCE_JUDGE_H_
