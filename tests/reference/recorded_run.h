// A recorded training: what the program published with the paper did, step by step.
//
//   ASSIGN_OR_RETURN(Recording recording, OpenRecording(DIR));
//   for (const std::string& path : recording.runs) {
//     ASSIGN_OR_RETURN(RecordedRun run, ReadRun(path));
//   }
//
// Layout of the folder: the data set in its only .npz file; weights where each run's `init` says;
// noise.json if there is one; below it, in any folder, a .json file a run, and a .json and a .npz
// file of one name a micro case.
#ifndef MANTISSA_TESTS_REFERENCE_RECORDED_RUN_H_
#define MANTISSA_TESTS_REFERENCE_RECORDED_RUN_H_

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "nlohmann/json.hpp"
#include "planner/plan.h"
#include "server/data/dataset.h"

namespace mantissa::reference {

struct Recording {
  std::string folder;
  std::vector<std::string> runs;   // paths, sorted
  std::vector<std::string> micro;  // paths of the .json files, sorted
  data::LoadedDataset data;
  nlohmann::json noise;  // by name of the run; empty if there is none
};

struct RecordedOperator {
  std::string name, type;
  int group = 0;
  std::vector<std::string> inputs;      // producers' names; "" where it is no tensor
  std::vector<std::string> parameters;  // "weight", "bias"
  std::string value_format;             // "434", "520", "690" or "fp32"
  std::vector<std::string> gradient_formats, parameter_formats, parameter_gradient_formats;
};

struct RecordedStep {
  double learning_rate = 0, loss = 0, loss_before_rounding = 0;
  double scale = 0, scale_after = 0, gradient_norm = 0, parameter_norm = 0;
  int64_t correct = 0, bits = 0;
  bool skipped = false;
  std::vector<std::string> promoted;  // sorted; "v <operator>" or "theta <parameter>"
  // The largest, by name as in `promoted`.
  std::map<std::string, double> overflow_ratios;
};

// One rounding of step 1.
struct RecordedTensor {
  double norm = 0;  // after rounding
  bool has_counts = false;
  int64_t underflow = 0, overflow = 0;
};

struct RecordedEvaluation {
  int epoch = 0;
  std::string kind;
  double loss = 0, loss_before_rounding = 0;
  int64_t correct = 0, samples = 0;
};

struct RecordedRun {
  std::string name, path;
  std::string init, policy;
  planner::ModelOptions model;
  int64_t batch_size = 0;
  int epochs = 0, cosine_epochs = 0;
  // From the command line of the run.
  double learning_rate = 0.1, momentum = 0.9, weight_decay = 5e-4, loss_scale = 1;
  int scale_growth_epochs = 1;  // below 0: the scale is fixed
  // Below 0: no promotion.
  double promotion_threshold = -1;
  std::vector<RecordedOperator> operators;
  std::vector<RecordedStep> steps;
  std::map<std::string, RecordedTensor> first_tensors;  // by TensorKey()
  std::vector<RecordedEvaluation> evaluations;
  std::map<std::string, double> final_weights;  // norms
  // Convolution biases before a batch norm: their gradient is rounding noise alone.
  std::vector<std::string> noisy_parameters;
};

// What names a rounding of a step. `consumer` only with dv: the operator whose gradient it is.
std::string TensorKey(absl::string_view kind, absl::string_view name,
                      absl::string_view consumer = "", int consumer_input = 0);

absl::StatusOr<Recording> OpenRecording(absl::string_view folder);
absl::StatusOr<RecordedRun> ReadRun(absl::string_view path);

// The plan that the run was trained with. Policies that are not known by name take the formats that
// the run itself lists.
absl::StatusOr<planner::Plan> PlanOf(const RecordedRun& run);

// Tensors whose group or format in `plan` is not what the run lists, by name; empty: all agree.
std::vector<std::string> PlanDifferences(const RecordedRun& run, const planner::Plan& plan);

}  // namespace mantissa::reference

#endif  // MANTISSA_TESTS_REFERENCE_RECORDED_RUN_H_
