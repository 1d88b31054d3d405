#include "tests/reference/micro_probe.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "ATen/ops/empty.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "base/status.h"
#include "kernels/packed/round.h"

namespace mantissa::reference {

using engine::RoundingSite;
using planner::TensorKind;

namespace {

// How far a value before rounding may lie from a tie or a threshold for its rounding to be another
// one, where its operator's float32 results carry errors at all: units in its last place, plus the
// root mean square of the operator's errors, times this.
constexpr double kNearErrors = 4;

float RoundOne(const RoundingSite& site, double value) {
  const bool gradient =
      site.kind == TensorKind::kActivationGradient || site.kind == TensorKind::kParameterGradient;
  const float in = static_cast<float>(value);
  float out = 0;
  kernels::RoundCounts counts;
  MANTISSA_CHECK_OK(kernels::Round(
      kernels::Device::Cpu(),
      {.format = site.format,
       .rounding = kernels::Rounding::kReference,
       .overflow = gradient ? kernels::Overflow::kInfinity : kernels::Overflow::kSaturate},
      absl::MakeConstSpan(&in, 1), absl::MakeSpan(&out, 1), &counts));
  return out;
}

// Whether a value near `before` would round as recorded.
bool IsNear(const RoundingSite& site, float before, float recorded, double error) {
  const double ulp = std::abs(std::nextafter(before, INFINITY) - double{before});
  const double reach = kNearErrors * (ulp + error);
  return RoundOne(site, before - reach) <= recorded && recorded <= RoundOne(site, before + reach);
}

}  // namespace

at::Tensor TensorOf(const data::NpyArray& array) {
  if (array.kind == 'f') {
    at::Tensor tensor = at::empty(array.shape, at::kFloat);
    const absl::StatusOr<std::vector<float>> values = array.ToFloat();
    MANTISSA_CHECK_OK(values);
    std::copy(values->begin(), values->end(), tensor.mutable_data_ptr<float>());
    return tensor;
  }
  at::Tensor tensor = at::empty(array.shape, at::kLong);
  const absl::StatusOr<std::vector<int64_t>> values = array.ToInt64();
  MANTISSA_CHECK_OK(values);
  std::copy(values->begin(), values->end(), tensor.mutable_data_ptr<int64_t>());
  return tensor;
}

MicroProbe::MicroProbe(const planner::Graph& graph, const Arrays& arrays, const RecordedRun& run)
    : graph_(graph),
      arrays_(arrays),
      noisy_(run.noisy_parameters.begin(), run.noisy_parameters.end()) {}

void MicroProbe::OnRounding(const RoundingSite& site, const at::Tensor& before,
                            const at::Tensor& after) {
  const std::string& name = graph_.value(site.value).name;
  const auto compare = [&](absl::string_view kind, const std::string& key) {
    Compare(std::string(kind), absl::StrCat(kind, "/", key), site, before, after);
  };
  switch (site.kind) {
    case TensorKind::kActivation:
      return compare("v", name);
    case TensorKind::kParameter:
      return compare("theta", name);
    case TensorKind::kActivationGradient:
      return compare(
          "dv", absl::StrCat(name, "@", graph_.node(site.consumer).name, ".", site.consumer_input));
    case TensorKind::kParameterGradient:
      if (!noisy_.contains(name)) compare("dtheta", name);
      return;
  }
}

void MicroProbe::Compare(const std::string& kind, const std::string& key, const RoundingSite& site,
                         const at::Tensor& before, const at::Tensor& after) {
  seen_.insert(key);
  const auto array = arrays_.find(key);
  if (array == arrays_.end()) {
    failures_.push_back(absl::StrCat(key, " was not recorded"));
    return;
  }
  const at::Tensor recorded = TensorOf(array->second).contiguous();
  const at::Tensor ours = after.contiguous(), unrounded = before.contiguous();
  if (recorded.numel() != ours.numel()) {
    failures_.push_back(
        absl::StrCat(key, " has ", ours.numel(), " elements; recorded ", recorded.numel()));
    return;
  }
  const float* const in = unrounded.const_data_ptr<float>();
  const double error = RootMeanSquareError(key, unrounded);
  Tally& tally = tallies_[kind];
  const int64_t wrong_before = tally.wrong;
  std::string first;
  for (int64_t i = 0; i < ours.numel(); ++i) {
    const float a = ours.const_data_ptr<float>()[i], b = recorded.const_data_ptr<float>()[i];
    ++tally.elements;
    if (a == b || (std::isnan(a) && std::isnan(b))) continue;
    if (error > 0 && IsNear(site, in[i], b, error)) {
      ++tally.near_ties;
      continue;
    }
    ++tally.wrong;
    if (first.empty()) {
      first = absl::StrFormat("element %d is %.9g, from %.9g; recorded %.9g; error %.2g", i, a,
                              in[i], b, error);
    }
  }
  if (tally.wrong > wrong_before) {
    failures_.push_back(absl::StrCat(key, ": ", tally.wrong - wrong_before, " of ", ours.numel(),
                                     " are wrong; ", first));
  }
}

// Of the operator's float32 results against double precision; 0 for what no operator computed.
double MicroProbe::RootMeanSquareError(const std::string& key, const at::Tensor& unrounded) const {
  const auto exact = exact_.find(key);
  if (exact == exact_.end()) return 0;
  const at::Tensor values = exact->second.contiguous();
  double sum = 0;
  for (int64_t i = 0; i < values.numel(); ++i) {
    const double error = values.const_data_ptr<double>()[i] - unrounded.const_data_ptr<float>()[i];
    if (std::isfinite(error)) sum += error * error;
  }
  return std::sqrt(sum / static_cast<double>(values.numel()));
}

}  // namespace mantissa::reference
