#include "tests/models/judge.h"

#include <algorithm>
#include <cmath>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/time/time.h"
#include "base/clock.h"
#include "base/status.h"

namespace mantissa::model_replay {
namespace {

constexpr double kFactor = 10;       // of PyTorch's own noise
constexpr double kLossFloor = 1e-6;  // of a loss, relative, before the factor
constexpr double kGradientFloor = 1e-6;
constexpr double kOfTotal = 1e-6;  // of all gradients, for those that are zero
constexpr double kChaos = 1e-3;    // above it a step is not judged

// Compares and keeps the worst; true if it is within.
bool Within(double seen, double wanted, double allowed, Score& score) {
  const double off = std::abs(seen - wanted);
  // NaN is outside.
  const double share = off <= 0 ? 0 : off / allowed;
  score.worst = std::isnan(share) ? INFINITY : std::max(score.worst, share);
  return share <= 1;
}

std::string Differs(const std::string& what, double seen, double wanted, double allowed) {
  return absl::StrFormat("%s: %.9g, PyTorch has %.9g, allowed is %.2g", what, seen, wanted,
                         allowed);
}

double LargestNoise(const RecordedLosses& run) {
  return run.noise.empty() ? 0 : *std::max_element(run.noise.begin(), run.noise.end());
}

// The graph's name of a tensor that the JSON names.
std::string NameOf(const Model& model, const std::string& name) {
  const auto found = model.names.find(name);
  return found == model.names.end() ? name : found->second;
}

bool AllFinite(const std::vector<double>& values) {
  return std::all_of(values.begin(), values.end(), [](double x) { return std::isfinite(x); });
}

Report::Precision PrecisionOf(const Training& training) {
  return {.first_loss = training.losses.front(),
          .last_loss = training.losses.back(),
          .promoted = training.promoted,
          .skipped = training.skipped,
          .predicted_bytes = training.predicted_bytes,
          .measured_bytes = training.measured_bytes};
}

void CheckFinite(const std::string& what, const Training& training, Report& report) {
  if (!AllFinite(training.losses))
    report.failures.push_back(
        absl::StrCat(what, ": a loss is not finite: ", absl::StrJoin(training.losses, " ")));
  if (!std::isfinite(training.evaluation_loss)) {
    const std::string text =
        absl::StrCat(what, ": the loss of an evaluation afterwards is ", training.evaluation_loss);
    // Running statistics can be far from a batch's after 20 steps, in PyTorch too.
    const bool has_statistics = !training.final_counts.empty();
    (has_statistics ? report.notes : report.failures).push_back(text);
  }
  if (training.skipped == static_cast<int>(training.losses.size()))
    report.notes.push_back(absl::StrCat(what, ": no step could be taken, gradients overflowed"));
}

absl::Status CompareWithFigures(const Model& model, Report& report) {
  const RecordedModel& recorded = *model.recorded;
  report.has_figures = true;
  ASSIGN_OR_RETURN(const Training usual,
                   Train(model, {.learning_rate = recorded.usual.learning_rate,
                                 .steps = static_cast<int>(recorded.usual.exact.size())}));
  ASSIGN_OR_RETURN(const Training calm,
                   Train(model, {.learning_rate = recorded.calm.learning_rate,
                                 .steps = static_cast<int>(recorded.calm.exact.size())}));
  report.gradients = JudgeGradients(recorded, model, usual, report.failures);
  report.losses = JudgeLosses(recorded.usual, usual, report.failures);
  report.calm_losses = JudgeLosses(recorded.calm, calm, report.failures);
  report.weights = JudgeWeights(recorded, recorded.usual, model, usual, report.failures);
  const Score quiet = JudgeWeights(recorded, recorded.calm, model, calm, report.failures);
  report.weights.judged += quiet.judged;
  report.weights.left_out += quiet.left_out;
  report.weights.worst = std::max(report.weights.worst, quiet.worst);
  report.fp32 = PrecisionOf(usual);
  CheckFinite("fp32", usual, report);
  return absl::OkStatus();
}

// What has live dropout: finite, and the same again from the same seed only.
absl::Status CompareWithItself(const Model& model, Report& report) {
  ASSIGN_OR_RETURN(const Training first, Train(model, {.seed = 1}));
  ASSIGN_OR_RETURN(const Training again, Train(model, {.seed = 1}));
  ASSIGN_OR_RETURN(const Training other, Train(model, {.seed = 2}));
  CheckFinite("fp32", first, report);
  if (first.losses != again.losses || first.final_l2 != again.final_l2)
    report.failures.push_back("two trainings with one seed differ");
  if (first.losses == other.losses)
    report.notes.push_back("nothing random: another seed gives the same losses");
  report.fp32 = PrecisionOf(first);
  return absl::OkStatus();
}

absl::Status TrainLow(const Model& model, Report& report) {
  for (const double ratio : {0.5, 1.0}) {
    ASSIGN_OR_RETURN(const Training training, Train(model, {.low_ratio = ratio}));
    CheckFinite(absl::StrCat("r = ", ratio), training, report);
    (ratio < 1 ? report.half : report.low) = PrecisionOf(training);
    report.groups = training.groups;
  }
  return absl::OkStatus();
}

absl::Status ExamineInto(const std::string& folder, const Exported& exported, Report& report) {
  ASSIGN_OR_RETURN(const Model model, OpenModel(folder, exported));
  report.opened = true;
  if (!model.samples.how.empty()) report.notes.push_back(model.samples.how);
  if (!model.unknown_operators.empty())
    report.notes.push_back(
        absl::StrCat("not known to the planner: ", absl::StrJoin(model.unknown_operators, ", ")));
  if (model.recorded) {
    RETURN_IF_ERROR(CompareWithFigures(model, report));
  } else {
    RETURN_IF_ERROR(CompareWithItself(model, report));
  }
  return TrainLow(model, report);
}

}  // namespace

Score JudgeGradients(const RecordedModel& recorded, const Model& model, const Training& training,
                     std::vector<std::string>& failures) {
  Score score;
  const double floor = kOfTotal * recorded.gradient_total;
  for (const auto& [name, wanted] : recorded.gradients) {
    const auto found = training.gradients.find(NameOf(model, name));
    if (found == training.gradients.end()) {
      // One that the output does not depend on has none.
      if (wanted.l2 > 0) failures.push_back(absl::StrCat("there is no gradient of ", name));
      continue;
    }
    ++score.judged;
    const SeenGradient& seen = found->second;
    const double allowed =
        kFactor * std::max(wanted.relative_noise, kGradientFloor) * wanted.l2 + floor;
    bool within = Within(seen.l2, wanted.l2, allowed, score) &&
                  Within(seen.max_abs, wanted.max_abs, allowed, score);
    for (size_t i = 0; i < std::min(wanted.first.size(), seen.first.size()); ++i)
      within = Within(seen.first[i], wanted.first[i], allowed, score) && within;
    if (!within) {
      failures.push_back(
          Differs(absl::StrCat("gradient of ", name, ", L2"), seen.l2, wanted.l2, allowed));
      failures.push_back(Differs(absl::StrCat("gradient of ", name, ", max"), seen.max_abs,
                                 wanted.max_abs, allowed));
    }
  }
  return score;
}

Score JudgeLosses(const RecordedLosses& recorded, const Training& training,
                  std::vector<std::string>& failures) {
  Score score;
  for (size_t i = 0; i < recorded.exact.size() && i < training.losses.size(); ++i) {
    if (recorded.noise[i] > kChaos) {
      ++score.left_out;
      continue;
    }
    ++score.judged;
    const double allowed =
        kFactor * std::max(recorded.noise[i], kLossFloor) * std::abs(recorded.exact[i]);
    if (Within(training.losses[i], recorded.exact[i], allowed, score)) continue;
    failures.push_back(Differs(absl::StrCat("loss of step ", i, " at ", recorded.learning_rate),
                               training.losses[i], recorded.exact[i], allowed));
  }
  return score;
}

Score JudgeWeights(const RecordedModel& recorded, const RecordedLosses& run, const Model& model,
                   const Training& training, std::vector<std::string>& failures) {
  Score score;
  const std::string at = absl::StrCat(" at ", run.learning_rate);
  for (const auto& [name, wanted] : recorded.initial_l2) {
    const auto found = training.initial_l2.find(NameOf(model, name));
    if (found == training.initial_l2.end()) continue;
    ++score.judged;
    if (!Within(found->second, wanted, 1e-6 * wanted, score))
      failures.push_back(
          Differs(absl::StrCat("initial ", name, ", L2"), found->second, wanted, 1e-6 * wanted));
  }
  for (const auto& [name, wanted] : recorded.final_counts) {
    const auto found = training.final_counts.find(NameOf(model, name));
    if (found == training.final_counts.end()) continue;
    ++score.judged;
    if (found->second != wanted)
      failures.push_back(
          absl::StrCat("final ", name, at, ": ", found->second, ", PyTorch has ", wanted));
  }
  const bool chaotic = LargestNoise(run) > kChaos;
  for (const auto& [name, wanted] : run.final_l2) {
    const auto found = training.final_l2.find(NameOf(model, name));
    if (found == training.final_l2.end()) continue;
    if (chaotic) {
      ++score.left_out;
      continue;
    }
    ++score.judged;
    double allowed = kFactor * std::max(LargestNoise(run), kLossFloor) * wanted + 1e-9;
    const auto travel = run.travel.find(name);
    if (travel != run.travel.end())
      allowed += kFactor * travel->second.relative_noise * travel->second.l2;
    if (!Within(found->second, wanted, allowed, score))
      failures.push_back(
          Differs(absl::StrCat("final ", name, at, ", L2"), found->second, wanted, allowed));
  }
  for (const auto& [name, wanted] : run.travel) {
    const auto found = training.travel.find(NameOf(model, name));
    // Where it moved by noise alone there is nothing to compare.
    if (found == training.travel.end() || wanted.relative_noise > 0.01 || chaotic) {
      ++score.left_out;
      continue;
    }
    ++score.judged;
    const double allowed = (kFactor * wanted.relative_noise + 1e-4) * wanted.l2 + 1e-9;
    if (!Within(found->second.l2, wanted.l2, allowed, score) ||
        !Within(found->second.max_abs, wanted.max_abs, allowed, score))
      failures.push_back(
          Differs(absl::StrCat("way of ", name, at, ", L2"), found->second.l2, wanted.l2, allowed));
  }
  return score;
}

Report Examine(const std::string& folder, const Exported& exported) {
  Report report{.name = exported.name};
  const absl::Duration start = RealClock().Monotonic();
  const absl::Status status = ExamineInto(folder, exported, report);
  if (!status.ok())
    report.failures.push_back(
        absl::StrCat(report.opened ? "" : "cannot be opened: ", status.message()));
  report.seconds = absl::ToDoubleSeconds(RealClock().Monotonic() - start);
  return report;
}

}  // namespace mantissa::model_replay
