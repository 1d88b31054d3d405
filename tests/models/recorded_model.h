// What PyTorch did with an exported model, as the JSON beside the archive says.
//
//   ASSIGN_OR_RETURN(std::vector<Exported> models, ListModels("/data/models"));
//   ASSIGN_OR_RETURN(RecordedModel recorded, ReadRecorded(models[0].json));
//
// Layout of the folder: <name>.pt2 and <name>.json; data in .npz files. "random_*.pt2" have live
// dropout and no figures; where such a one has no JSON either, its data are made up from its
// shapes.
#ifndef MANTISSA_TESTS_MODELS_RECORDED_MODEL_H_
#define MANTISSA_TESTS_MODELS_RECORDED_MODEL_H_

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "planner/graph/loss.h"

namespace mantissa::model_replay {

struct Exported {
  std::string name;
  std::string archive;  // path
  std::string json;     // path; empty if there is none
};

// Sorted by name. NotFound if the folder holds none.
absl::StatusOr<std::vector<Exported>> ListModels(const std::string& folder);

struct RecordedGradient {
  double l2 = 0, max_abs = 0;  // in double precision
  double relative_noise = 0;   // of PyTorch's own float32 gradients, the larger of two
  std::vector<double> first;   // elements; empty where they are not given
};

// How far a parameter or buffer moved.
struct RecordedTravel {
  double l2 = 0, max_abs = 0, relative_noise = 0;
};

// 20 steps at one learning rate.
struct RecordedLosses {
  double learning_rate = 0;
  std::vector<double> exact;  // in double precision
  std::vector<double> noise;  // by step: of PyTorch's float32 losses, relative
  std::map<std::string, double> final_l2;
  std::map<std::string, RecordedTravel> travel;
};

struct RecordedModel {
  std::string name;
  // The first names what the data text means by "u8". Names of files in the folder.
  std::vector<std::string> files;
  std::string data_text, target_text;
  planner::LossOptions loss;
  int64_t batch_size = 32;
  double momentum = 0, weight_decay = 0;
  RecordedLosses usual, calm;
  std::map<std::string, RecordedGradient> gradients;
  double gradient_total = 0;  // L2 over all parameters
  std::map<std::string, double> initial_l2;
  std::map<std::string, int64_t> final_counts;  // integer buffers
};

// InvalidArgument says what is missing or not known: another loss, another optimizer.
absl::StatusOr<RecordedModel> ReadRecorded(const std::string& path);

}  // namespace mantissa::model_replay

#endif  // MANTISSA_TESTS_MODELS_RECORDED_MODEL_H_
