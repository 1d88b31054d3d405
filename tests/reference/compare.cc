// Replays recorded trainings with the engine and compares, step by step and code by code:
//
//   bazel run //tests/reference:compare -- DIR
//
// DIR is laid out as recorded_run.h says. Prints a line a run; exits 1 if one is outside its
// tolerances, 2 if DIR cannot be read.

#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "ATen/Context.h"
#include "ATen/Parallel.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "base/file.h"
#include "base/status.h"
#include "nlohmann/json.hpp"
#include "tests/reference/judge.h"
#include "tests/reference/micro.h"
#include "tests/reference/recorded_run.h"
#include "tests/reference/replay.h"

namespace mantissa::reference {
namespace {

void PrintLine(const std::string& line) {
  std::puts(line.c_str());
  std::fflush(stdout);
}

// Lines and failures of one file; an error counts as a failure.
bool Report(const std::string& path, const absl::StatusOr<Verdict>& verdict) {
  if (!verdict.ok()) {
    PrintLine(absl::StrCat(path, ": ", verdict.status().ToString()));
    return false;
  }
  PrintLine(verdict->line);
  for (const std::string& failure : verdict->failures) PrintLine(absl::StrCat("    ", failure));
  return verdict->failures.empty();
}

absl::StatusOr<Verdict> CompareRun(const Recording& recording, const std::string& path) {
  ASSIGN_OR_RETURN(const RecordedRun run, ReadRun(path));
  ASSIGN_OR_RETURN(const Replay replay, ReplayRun(recording, run));
  try {
    return Judge(run, replay, recording.noise);
  } catch (const nlohmann::json::exception& error) {
    return absl::InvalidArgumentError(
        absl::StrCat("noise.json does not say of ", run.name, " what is needed: ", error.what()));
  }
}

absl::StatusOr<Verdict> CompareMicro(const Recording& recording, const std::string& path) {
  ASSIGN_OR_RETURN(const RecordedRun run, ReadRun(path));
  return JudgeMicro(recording, run);
}

// `bazel run` starts elsewhere than it was called.
std::string FromCaller(const std::string& folder) {
  const char* const caller = std::getenv("BUILD_WORKING_DIRECTORY");
  return caller == nullptr || folder.starts_with('/') ? folder : JoinPath(caller, folder);
}

int Main(const std::vector<std::string>& arguments) {
  if (arguments.empty()) {
    PrintLine("usage: compare DIR [PART OF A RUN'S NAME]");
    return 2;
  }
  // As the recorded runs were made.
  at::set_num_threads(1);
  at::globalContext().setDeterministicAlgorithms(true, /*warn_only=*/false);
  at::globalContext().setDeterministicFillUninitializedMemory(false);
  const absl::StatusOr<Recording> recording = OpenRecording(FromCaller(arguments[0]));
  if (!recording.ok()) {
    PrintLine(recording.status().ToString());
    return 2;
  }
  if (recording->runs.empty() && recording->micro.empty()) {
    PrintLine(absl::StrCat(arguments[0], " holds no runs"));
    return 2;
  }
  const auto chosen = [&](const std::string& path) {
    return arguments.size() < 2 || absl::StrContains(path, arguments[1]);
  };
  int compared = 0, differing = 0;
  PrintLine(TableHead());
  for (const std::string& path : recording->runs) {
    if (!chosen(path)) continue;
    ++compared;
    if (!Report(path, CompareRun(*recording, path))) ++differing;
  }
  for (const std::string& path : recording->micro) {
    if (!chosen(path)) continue;
    ++compared;
    if (!Report(path, CompareMicro(*recording, path))) ++differing;
  }
  PrintLine(absl::StrCat(compared, " compared, ", differing, " outside the tolerances"));
  return differing == 0 && compared > 0 ? 0 : 1;
}

}  // namespace
}  // namespace mantissa::reference

int main(int argc, char** argv) {
  return mantissa::reference::Main(std::vector<std::string>(argv + 1, argv + argc));
}
