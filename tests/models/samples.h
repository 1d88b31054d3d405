// The samples that a model is replayed with.
//
//   ASSIGN_OR_RETURN(Files files, ReadFiles(folder, recorded.files));
//   ASSIGN_OR_RETURN(Samples samples, SamplesOf(graph, recorded, files));
//   engine::Batch batch = BatchOf(graph, samples, /*step=*/0, /*batch_size=*/32);
#ifndef MANTISSA_TESTS_MODELS_SAMPLES_H_
#define MANTISSA_TESTS_MODELS_SAMPLES_H_

#include <cstdint>
#include <string>
#include <vector>

#include "ATen/core/Tensor.h"
#include "absl/status/statusor.h"
#include "planner/graph/graph.h"
#include "server/engine/step.h"
#include "tests/models/phrase.h"
#include "tests/models/recorded_model.h"

namespace mantissa::model_replay {

// All samples, the sample first; a number stands for a tensor filled with it.
struct Samples {
  std::vector<at::Tensor> inputs;  // by the graph's inputs
  at::Tensor target;
  int64_t count = 0;
  std::string how;  // what the text was taken for, where that was not plain
};

// .npz files of the folder, in the order of `names`. Integers become int64.
absl::StatusOr<Files> ReadFiles(const std::string& folder, const std::vector<std::string>& names);

// What the text of the JSON says, held to the graph's inputs. `graph` has its loss. InvalidArgument
// says what was read where it does not fit.
absl::StatusOr<Samples> SamplesOf(const planner::Graph& graph, const RecordedModel& recorded,
                                  const Files& files);

// How many samples all of them have.
int64_t CountOf(const Samples& samples);

// Raw bytes become fractions where `value` is float; channels are repeated. InvalidArgument where
// it does not fit.
absl::StatusOr<at::Tensor> Fitted(const planner::Value& value, const Definition& definition);

// Samples [step * batch_size, (step + 1) * batch_size), from the front again behind the last batch.
engine::Batch BatchOf(const planner::Graph& graph, const Samples& samples, int64_t step,
                      int64_t batch_size);

}  // namespace mantissa::model_replay

#endif  // MANTISSA_TESTS_MODELS_SAMPLES_H_
