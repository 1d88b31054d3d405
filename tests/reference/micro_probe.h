// Compares what the engine rounds with what was recorded, element by element (micro.h).
//
//   MicroProbe probe(plan.graph, arrays, run);
//   probe.SetExact("v/conv1", the_same_in_double_precision);
//   rounder.set_probe(&probe);   // ... run operators ...
//   probe.tallies().at("v").wrong
#ifndef MANTISSA_TESTS_REFERENCE_MICRO_PROBE_H_
#define MANTISSA_TESTS_REFERENCE_MICRO_PROBE_H_

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "ATen/core/Tensor.h"
#include "server/data/npz.h"
#include "server/engine/rounding.h"
#include "tests/reference/recorded_run.h"

namespace mantissa::reference {

using Arrays = std::map<std::string, data::NpyArray>;

// A copy of an array: float32 or int64.
at::Tensor TensorOf(const data::NpyArray& array);

// How the rounded values of one kind compare.
struct Tally {
  int64_t elements = 0;
  int64_t near_ties = 0;  // differ, and may
  int64_t wrong = 0;      // differ otherwise
};

class MicroProbe : public engine::RoundingProbe {
 public:
  // All must outlive the probe.
  MicroProbe(const planner::Graph& graph, const Arrays& arrays, const RecordedRun& run);

  void OnRounding(const engine::RoundingSite& site, const at::Tensor& before,
                  const at::Tensor& after) override;

  // What the tensor of that key is in double precision, before rounding. Tensors without are held
  // to be equal.
  void SetExact(const std::string& key, at::Tensor exact) { exact_[key] = std::move(exact); }

  // By kind: v, theta, dv, dtheta.
  const std::map<std::string, Tally>& tallies() const { return tallies_; }
  // Keys of what was compared.
  const std::set<std::string>& seen() const { return seen_; }
  const std::vector<std::string>& failures() const { return failures_; }

 private:
  void Compare(const std::string& kind, const std::string& key, const engine::RoundingSite& site,
               const at::Tensor& before, const at::Tensor& after);
  double RootMeanSquareError(const std::string& key, const at::Tensor& unrounded) const;

  const planner::Graph& graph_;
  const Arrays& arrays_;
  const std::set<std::string> noisy_;
  std::map<std::string, at::Tensor> exact_;
  std::map<std::string, Tally> tallies_;
  std::set<std::string> seen_;
  std::vector<std::string> failures_;
};

}  // namespace mantissa::reference

#endif  // MANTISSA_TESTS_REFERENCE_MICRO_PROBE_H_
