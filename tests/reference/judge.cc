#include "tests/reference/judge.h"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <limits>
#include <map>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"

namespace mantissa::reference {
namespace {

// Norms of equal values, added up in another order.
constexpr double kEqualNorms = 1e-10;
// Of overflow ratios to the promotion threshold, relative.
constexpr double kNearThreshold = 0.05;
// Of evaluation losses where training losses are equal: a code or two of the log-probabilities.
constexpr double kEqualEvaluations = 5e-3;
// Of the norms of final weights where all losses are equal, relative.
constexpr double kEqualWeights = 1e-4;

// Relative tolerances of the first step; infinite: not held.
struct Tolerances {
  int exact_steps = 0;  // whose loss, scale, skip and promotions are equal
  double first_loss = 0;
  double theta = kEqualNorms, v = 0, dv = 0;
  double dtheta = std::numeric_limits<double>::infinity();
  bool overflow_counts = false;
  // The mean loss of the last epoch, absolute.
  double trend = 0.3;
  // Leading steps whose scale and skip are equal.
  int equal_scales = std::numeric_limits<int>::max();
};

// Losses are equal up to the order of a sum; another code of a log-probability shows more.
constexpr double kEqualLosses = 1e-6;
// The recorded variants of a run are samples: another one may lie somewhat farther off.
constexpr double kBeyondSamples = 4;

// How many of `flags` are true before the first that is not; no limit where all are.
int LeadingTrue(const nlohmann::json& flags) {
  int leading = 0;
  for (const nlohmann::json& flag : flags) {
    if (!flag.get<bool>()) break;
    ++leading;
  }
  return leading == static_cast<int>(flags.size()) ? std::numeric_limits<int>::max() : leading;
}

// Weaker where the recorded program differs from itself: on other threads, in double precision,
// with other convolution code.
void Widen(const nlohmann::json& variant, Tolerances& tolerances) {
  const auto widen = [&](const char* kind, double& tolerance) {
    const nlohmann::json& difference = variant.at("step1_l2_reldiff").at(kind);
    tolerance = std::max(tolerance, kBeyondSamples * difference.at("max").get<double>());
    if (difference.at("overflow_count_maxdiff").get<int64_t>() != 0) {
      tolerances.overflow_counts = false;
    }
  };
  widen("v", tolerances.v);
  widen("dv", tolerances.dv);
  widen("dtheta", tolerances.dtheta);
  const std::vector<double> losses = variant.at("loss_absdiff").get<std::vector<double>>();
  for (size_t i = 0; i < losses.size(); ++i) {
    const int step = static_cast<int>(i);
    if (losses[i] > kEqualLosses) tolerances.exact_steps = std::min(tolerances.exact_steps, step);
    tolerances.trend = std::max(tolerances.trend, kBeyondSamples * losses[i]);
  }
  if (!losses.empty()) {
    tolerances.first_loss = std::max(tolerances.first_loss, kBeyondSamples * losses[0]);
  }
  tolerances.exact_steps =
      std::min(tolerances.exact_steps, LeadingTrue(variant.at("promoted_equal")));
  tolerances.equal_scales =
      std::min(tolerances.equal_scales, LeadingTrue(variant.at("scale_and_skip_equal")));
}

Tolerances TolerancesOfPolicy(const RecordedRun& run) {
  if (run.policy == "low" || absl::StartsWith(run.policy, "low_")) {
    return {.exact_steps = 3,
            .first_loss = kEqualLosses,
            .v = kEqualNorms,
            .dv = kEqualNorms,
            .dtheta = 1e-4,
            .overflow_counts = true};
  }
  if (run.policy == "fp32") return {.first_loss = 1e-6, .v = 1e-6, .dv = 2e-3};
  const bool wide = run.policy == "op" && run.model.name == "squeezenet";
  return {.first_loss = wide ? 1e-2 : 1e-3, .v = wide ? 8e-2 : 2e-2, .dv = wide ? 8e-2 : 2e-2};
}

Tolerances TolerancesOf(const RecordedRun& run, const nlohmann::json& noise) {
  Tolerances tolerances = TolerancesOfPolicy(run);
  if (!noise.contains(run.name)) return tolerances;
  for (const auto& [name, variant] : noise[run.name].items()) {
    if (variant.is_object()) Widen(variant, tolerances);
  }
  return tolerances;
}

// Norms of tensors that hold infinities are infinite, or not a number where some of them met.
double RelativeDifference(double a, double b) {
  if (a == b || (!std::isfinite(a) && !std::isfinite(b))) return 0;
  const double difference = std::abs(a - b) / std::max(std::abs(a), std::abs(b));
  return std::isfinite(difference) ? difference : std::numeric_limits<double>::infinity();
}

std::string Text(double value) { return value == 0 ? "0" : absl::StrFormat("%.1e", value); }

// What differs in the tensors of one kind in the first step.
struct KindDifference {
  double norm = 0;
  std::string worst;  // tensor with the largest difference of norms
  int64_t overflow = 0, underflow = 0;
  int missing = 0;
};

class Judgement {
 public:
  Judgement(const RecordedRun& run, const Replay& replay, const nlohmann::json& noise)
      : run_(run), replay_(replay), noise_(noise), tolerances_(TolerancesOf(run, noise)) {}

  Verdict Conclude() {
    JudgePlan();
    JudgeLosses();
    JudgeScales();
    JudgePromotions();
    JudgeFirstTensors();
    JudgeEvaluations();
    JudgeWeights();
    std::vector<std::string> cells = {absl::StrFormat("%-24s", run_.name)};
    cells.insert(cells.end(), cells_.begin(), cells_.end());
    cells.push_back(absl::StrFormat("%5.1fs", replay_.seconds));
    cells.push_back(failures_.empty() ? "ok" : "DIFFERS");
    return {absl::StrJoin(cells, " | "), failures_};
  }

 private:
  template <typename... Args>
  void Fail(const Args&... args) {
    failures_.push_back(absl::StrCat(args...));
  }

  void JudgePlan() {
    if (!replay_.plan_differences.empty()) {
      Fail("the plan differs in ", absl::StrJoin(replay_.plan_differences, ", "));
    }
  }

  double LossDifference(size_t step) const {
    const RecordedStep &recorded = run_.steps[step], &ours = replay_.steps[step];
    return std::max(std::abs(recorded.loss - ours.loss),
                    std::abs(recorded.loss_before_rounding - ours.loss_before_rounding));
  }

  void JudgeLosses() {
    if (run_.steps.size() != replay_.steps.size()) {
      Fail("recorded are ", run_.steps.size(), " steps, replayed ", replay_.steps.size());
    }
    const size_t steps = std::min(run_.steps.size(), replay_.steps.size());
    std::vector<std::string> differences;
    double recorded_end = 0, our_end = 0;
    const size_t end_steps = std::max<size_t>(1, steps / std::max(1, run_.epochs));
    for (size_t i = 0; i < steps; ++i) {
      const double difference = LossDifference(i);
      differences.push_back(Text(difference));
      if (static_cast<int>(i) < tolerances_.exact_steps && !(difference <= kEqualLosses)) {
        Fail("loss of step ", i + 1, " is ", replay_.steps[i].loss_before_rounding, "; recorded ",
             run_.steps[i].loss_before_rounding);
      }
      if (RelativeDifference(run_.steps[i].learning_rate, replay_.steps[i].learning_rate) > 1e-12) {
        Fail("learning rate of step ", i + 1, " is ", replay_.steps[i].learning_rate);
      }
      if (i + end_steps >= steps) {
        recorded_end += run_.steps[i].loss_before_rounding / static_cast<double>(end_steps);
        our_end += replay_.steps[i].loss_before_rounding / static_cast<double>(end_steps);
      }
    }
    if (steps > 0 && !(LossDifference(0) <= tolerances_.first_loss)) {
      Fail("loss of step 1 is ", replay_.steps[0].loss_before_rounding, "; recorded ",
           run_.steps[0].loss_before_rounding);
    }
    if (!(std::abs(recorded_end - our_end) <= tolerances_.trend)) {
      Fail("mean loss of the last epoch is ", our_end, "; recorded ", recorded_end);
    }
    cells_.push_back(absl::StrFormat("%-72s", absl::StrJoin(differences, " ")));
  }

  void JudgeScales() {
    std::vector<int> unequal;
    const size_t steps = std::min(run_.steps.size(), replay_.steps.size());
    int skipped = 0;
    for (size_t i = 0; i < steps; ++i) {
      const RecordedStep &recorded = run_.steps[i], &ours = replay_.steps[i];
      skipped += recorded.skipped ? 1 : 0;
      if (static_cast<int>(i) >= tolerances_.equal_scales) continue;
      if (recorded.scale != ours.scale || recorded.scale_after != ours.scale_after ||
          recorded.skipped != ours.skipped) {
        unequal.push_back(static_cast<int>(i) + 1);
      }
    }
    if (!unequal.empty()) Fail("scale or skip differs in steps ", absl::StrJoin(unequal, ", "));
    cells_.push_back(absl::StrFormat(
        "%-10s", absl::StrCat(unequal.empty() ? "equal" : "DIFFER", " (", skipped, ")")));
  }

  // Whether a tensor is so near the threshold that rounding noise may decide its promotion.
  bool IsNearThreshold(size_t step, const std::string& name) const {
    const auto recorded = run_.steps[step].overflow_ratios.find(name);
    const auto ours = replay_.promotion_ratios.find(name);
    double ratio = 0;
    if (recorded != run_.steps[step].overflow_ratios.end()) {
      ratio = recorded->second;
    } else if (ours != replay_.promotion_ratios.end()) {
      ratio = ours->second;
    }
    return std::abs(ratio / run_.promotion_threshold - 1) < kNearThreshold;
  }

  // The first step is held in all runs, but for tensors near the threshold where sums are not
  // exact.
  void JudgePromotionsOf(size_t step) {
    const std::vector<std::string>&recorded = run_.steps[step].promoted,
          &ours = replay_.steps[step].promoted;
    std::vector<std::string> different;
    std::set_symmetric_difference(recorded.begin(), recorded.end(), ours.begin(), ours.end(),
                                  std::back_inserter(different));
    const bool exact = static_cast<int>(step) < tolerances_.exact_steps;
    for (const std::string& name : different) {
      if (exact || (step == 0 && !IsNearThreshold(step, name))) {
        Fail("step ", step + 1, " promotes one of ours and the recorded alone: ", name);
      }
    }
    if (different.empty() && exact && run_.steps[step].bits != replay_.steps[step].bits) {
      Fail("bits after step ", step + 1, " are ", replay_.steps[step].bits, "; recorded ",
           run_.steps[step].bits);
    }
  }

  void JudgePromotions() {
    const size_t steps = std::min(run_.steps.size(), replay_.steps.size());
    size_t promoted = 0, unequal = 0;
    for (size_t i = 0; i < steps; ++i) {
      promoted += run_.steps[i].promoted.size();
      unequal += run_.steps[i].promoted == replay_.steps[i].promoted ? 0 : 1;
      JudgePromotionsOf(i);
    }
    if (steps > 0 && promoted == 0 && run_.steps[0].bits != replay_.steps[0].bits) {
      Fail("bits are ", replay_.steps[0].bits, "; recorded ", run_.steps[0].bits);
    }
    cells_.push_back(absl::StrFormat(
        "%-12s", absl::StrCat(unequal == 0 ? "equal" : absl::StrCat(unequal, " differ"), " (",
                              promoted, ")")));
  }

  // Printed, and held where even the last step's loss is equal: by then weights are nearly so.
  void JudgeEvaluations() {
    double largest = 0;
    int missing = 0;
    for (const RecordedEvaluation& recorded : run_.evaluations) {
      const auto ours = std::find_if(replay_.evaluations.begin(), replay_.evaluations.end(),
                                     [&](const RecordedEvaluation& evaluation) {
                                       return evaluation.epoch == recorded.epoch &&
                                              absl::StartsWith(recorded.kind, evaluation.kind);
                                     });
      if (ours == replay_.evaluations.end()) {
        ++missing;
        continue;
      }
      largest =
          std::max(largest, std::abs(recorded.loss_before_rounding - ours->loss_before_rounding));
    }
    if (missing > 0) Fail(missing, " evaluations are not made");
    if (tolerances_.exact_steps > 0 && LossesAreEqual() && !(largest <= kEqualEvaluations))
      Fail("evaluations differ by ", largest);
    cells_.push_back(absl::StrFormat("%-7s", Text(largest)));
  }

  bool LossesAreEqual() const {
    const size_t steps = std::min(run_.steps.size(), replay_.steps.size());
    for (size_t i = 0; i < steps; ++i) {
      if (!(LossDifference(i) <= kEqualLosses)) return false;
    }
    return true;
  }

  bool IsNoise(absl::string_view key) const {
    for (const std::string& name : run_.noisy_parameters) {
      if (key == TensorKey("dtheta", name)) return true;
    }
    return false;
  }

  std::map<std::string, KindDifference> CompareFirstTensors() const {
    std::map<std::string, KindDifference> kinds;
    for (const auto& [key, recorded] : run_.first_tensors) {
      if (IsNoise(key)) continue;
      KindDifference& kind = kinds[std::string(key.substr(0, key.find(' ')))];
      const auto ours = replay_.first_tensors.find(key);
      if (ours == replay_.first_tensors.end()) {
        ++kind.missing;
        kind.worst = key;
        continue;
      }
      const double difference = RelativeDifference(recorded.norm, ours->second.norm);
      if (difference > kind.norm || kind.worst.empty()) {
        kind.norm = difference;
        kind.worst = key;
      }
      // Where infinities met, what counts as an overflow is not defined.
      if (!recorded.has_counts || std::isnan(ours->second.norm)) continue;
      kind.overflow = std::max(kind.overflow, std::abs(recorded.overflow - ours->second.overflow));
      kind.underflow =
          std::max(kind.underflow, std::abs(recorded.underflow - ours->second.underflow));
    }
    return kinds;
  }

  void JudgeFirstTensors() {
    std::map<std::string, KindDifference> kinds = CompareFirstTensors();
    const std::pair<const char*, double> held[] = {{"theta", tolerances_.theta},
                                                   {"v", tolerances_.v},
                                                   {"dv", tolerances_.dv},
                                                   {"dtheta", tolerances_.dtheta}};
    for (const auto& [name, tolerance] : held) {
      const KindDifference& kind = kinds[name];
      if (kind.missing > 0) Fail(kind.missing, " tensors are not made, for instance ", kind.worst);
      if (!(kind.norm <= tolerance)) {
        Fail("norm of ", kind.worst, " differs by ", kind.norm, "; allowed ", tolerance);
      }
      const bool counts = tolerances_.overflow_counts || absl::string_view(name) == "theta";
      if (counts && kind.overflow != 0) {
        Fail("overflows of a ", name, " differ by ", kind.overflow);
      }
      cells_.push_back(
          absl::StrFormat("%-7s %3d %3d", Text(kind.norm), kind.overflow, kind.underflow));
    }
  }

  double RecordedWeightNoise() const {
    double noise = kEqualWeights;
    if (!noise_.contains(run_.name)) return noise;
    for (const auto& [name, variant] : noise_[run_.name].items()) {
      if (!variant.is_object()) continue;
      noise = std::max(noise, variant.at("final_weight_l2_reldiff_max").get<double>());
    }
    return noise;
  }

  void JudgeWeights() {
    double largest = 0;
    std::string worst;
    for (const auto& [name, norm] : run_.final_weights) {
      const auto ours = replay_.final_weights.find(name);
      if (ours == replay_.final_weights.end()) continue;  // a buffer
      const double difference = RelativeDifference(norm, ours->second);
      if (difference >= largest) {
        largest = difference;
        worst = name;
      }
    }
    // Once a loss differs, weights have gone another way and only the trend is held.
    const double tolerance = LossesAreEqual() ? kBeyondSamples * RecordedWeightNoise()
                                              : std::numeric_limits<double>::infinity();
    if (!(largest <= tolerance)) {
      Fail("norm of ", worst, " after the last step differs by ", largest, "; allowed ", tolerance);
    }
    cells_.push_back(absl::StrFormat("%-7s", Text(largest)));
  }

  const RecordedRun& run_;
  const Replay& replay_;
  const nlohmann::json& noise_;
  const Tolerances tolerances_;
  std::vector<std::string> cells_, failures_;
};

}  // namespace

std::string TableHead() {
  const std::vector<std::string> cells = {
      absl::StrFormat("%-24s", "run"),
      absl::StrFormat("%-72s", "difference of the loss by step"),
      absl::StrFormat("%-10s", "scale,skip"),
      absl::StrFormat("%-12s", "promoted"),
      absl::StrFormat("%-15s", "theta norm o u"),
      absl::StrFormat("%-15s", "v norm o u"),
      absl::StrFormat("%-15s", "dv norm o u"),
      absl::StrFormat("%-15s", "dtheta norm o u"),
      absl::StrFormat("%-7s", "eval"),
      absl::StrFormat("%-7s", "weights"),
      absl::StrFormat("%6s", "time"),
      "verdict"};
  return absl::StrJoin(cells, " | ");
}

Verdict Judge(const RecordedRun& run, const Replay& replay, const nlohmann::json& noise) {
  return Judgement(run, replay, noise).Conclude();
}

}  // namespace mantissa::reference
