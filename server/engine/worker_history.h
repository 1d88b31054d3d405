// server/engine/worker_history.h
//
// history.jsonl: a line a step, and a line an evaluation.
//
//   ASSIGN_OR_RETURN(History history, History::Open(files, "history.jsonl"));
//   RETURN_IF_ERROR(history.ContinueFrom(earlier, first_step));  // after a checkpoint
//   RETURN_IF_ERROR(history.Add(step_record));
//
//   {"step": 7, "epoch": 0, "loss": 2.25, "loss_unrounded": 2.26, "lr": 0.1, "loss_scale": 65536,
//    "skipped": false, "peak_memory_bytes": 335544320, "promoted": ["v layer1.0.relu1"],
//    "promoted_ratios": [0.013]}
//   {"evaluation": true, "epoch": 0, "step": 23, "accuracy": 0.91, "loss": 0.3,
//    "accuracy_fp32": 0.92, "loss_fp32": 0.3, "samples": 359}
//
// `promoted_ratios` (overflow ratios, in the order of `promoted`) is there where something was
// promoted. A number that is not finite or not there is null. Not thread-safe.

#ifndef MANTISSA_SERVER_ENGINE_WORKER_HISTORY_H_
#define MANTISSA_SERVER_ENGINE_WORKER_HISTORY_H_

#include <cstdint>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "base/file.h"
#include "server/engine/trainer.h"

namespace mantissa::engine {

class History {
 public:
  struct Promotion {
    int64_t step;
    std::string tensor;  // "v NAME" or "theta NAME"
    double overflow_ratio;
  };

  // Starts an empty file at `path`.
  static absl::StatusOr<History> Open(FileSystem& files, const std::string& path);

  // Takes over the lines of an earlier attempt's file about steps before `first_step`; what else it
  // has, a line cut short for instance, is left out. REQUIRES: nothing was added yet.
  absl::Status ContinueFrom(absl::string_view earlier, int64_t first_step);
  absl::Status Add(const StepRecord& record);
  absl::Status Add(const EvaluationRecord& record);

  const std::string& path() const { return path_; }
  // Of all lines.
  const std::vector<Promotion>& promotions() const { return promotions_; }
  int64_t steps() const { return steps_; }
  int64_t skipped_steps() const { return skipped_steps_; }
  bool empty() const { return file_->size() == 0; }

 private:
  History(std::string path, std::unique_ptr<AppendableFile> file)
      : path_(std::move(path)), file_(std::move(file)) {}

  std::string path_;
  std::unique_ptr<AppendableFile> file_;
  std::vector<Promotion> promotions_;
  int64_t steps_ = 0, skipped_steps_ = 0;
};

// Null where there is none.
nlohmann::json NumberOrNull(const std::optional<double>& number);

// "v conv1" or "theta conv1.weight".
std::string TensorText(const PromotedTensor& tensor);

}  // namespace mantissa::engine

#endif  // MANTISSA_SERVER_ENGINE_WORKER_HISTORY_H_
