// Trains an exported model as its JSON says, and under assignment.
//
//   ASSIGN_OR_RETURN(Model model, OpenModel(folder, exported));
//   ASSIGN_OR_RETURN(Training fp32, Train(model, {.learning_rate = 0.01}));
//   ASSIGN_OR_RETURN(Training low, Train(model, {.learning_rate = 0.01, .low_ratio = 1}));
#ifndef MANTISSA_TESTS_MODELS_REPLAY_H_
#define MANTISSA_TESTS_MODELS_REPLAY_H_

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "planner/graph/graph.h"
#include "server/engine/model_state.h"
#include "tests/models/recorded_model.h"
#include "tests/models/samples.h"

namespace mantissa::model_replay {

struct Model {
  Exported exported;
  std::optional<RecordedModel> recorded;        // not of random ones
  std::shared_ptr<const planner::Graph> graph;  // without a loss
  planner::LossOptions loss;
  int64_t batch_size = 32;
  engine::ModelState state;  // the archive's
  Samples samples;
  // Any name of the state dict -> the graph's, of parameters and buffers.
  std::map<std::string, std::string> names;
  std::vector<std::string> unknown_operators;
};

// Reads archive, JSON and data. Where the archive's first loss is not the recorded one, the other
// readings of the data text are tried and the first that fits is taken.
absl::StatusOr<Model> OpenModel(const std::string& folder, const Exported& exported);

struct TrainOptions {
  double learning_rate = 0.01;
  // Of policy demotion; none: everything in fp32.
  std::optional<double> low_ratio;
  int steps = 20;
  int64_t batch_size = 0;  // 0: the recorded one
  uint64_t seed = 1;
};

struct SeenGradient {
  double l2 = 0, max_abs = 0;
  std::vector<double> first;  // 8 elements
};

struct SeenTravel {
  double l2 = 0, max_abs = 0;
};

struct Training {
  std::vector<double> losses;
  // Of step 0; names as in the graph.
  std::map<std::string, SeenGradient> gradients;
  std::map<std::string, double> initial_l2, final_l2;  // parameters and buffers
  std::map<std::string, SeenTravel> travel;
  std::map<std::string, int64_t> final_counts;  // integer buffers
  int groups = 0;
  int promoted = 0, skipped = 0;
  int64_t predicted_bytes = 0, measured_bytes = 0;
  double evaluation_loss = 0;  // on the first batch, afterwards
  double seconds = 0;          // of all steps
};

absl::StatusOr<Training> Train(const Model& model, const TrainOptions& options);

}  // namespace mantissa::model_replay

#endif  // MANTISSA_TESTS_MODELS_REPLAY_H_
