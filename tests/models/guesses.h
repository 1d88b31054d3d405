// What a model is fed with where its JSON does not say it, or not plainly.
//
//   std::optional<Samples> samples = OtherReading(graph, recorded, files, HasTheRecordedLoss);
#ifndef MANTISSA_TESTS_MODELS_GUESSES_H_
#define MANTISSA_TESTS_MODELS_GUESSES_H_

#include <functional>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "planner/graph/graph.h"
#include "planner/graph/loss.h"
#include "tests/models/phrase.h"
#include "tests/models/recorded_model.h"
#include "tests/models/samples.h"

namespace mantissa::model_replay {

// The first that `fits` of the other ways in which the text could be meant: tokens cut in other
// ways, other targets. `graph` has its loss.
std::optional<Samples> OtherReading(const planner::Graph& graph, const RecordedModel& recorded,
                                    const Files& files,
                                    const std::function<bool(const Samples&)>& fits);

// For a model that nothing is said of: pictures of the folder where its first input is one, else
// numbers from a fixed seed. `graph` has its loss.
absl::StatusOr<Samples> MadeUpSamples(const planner::Graph& graph, const std::string& folder);

// The loss that goes with a model's output, where nothing is said of it.
planner::LossOptions LikelyLoss(const planner::Graph& graph);

}  // namespace mantissa::model_replay

#endif  // MANTISSA_TESTS_MODELS_GUESSES_H_
