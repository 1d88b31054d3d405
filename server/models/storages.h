// server/models/storages.h
//
// Which tensors of a program share memory, so that operators that change a tensor in place can be
// written as operators that make a new one.
//
//   TensorId x = storages.Add(value);
//   ASSIGN_OR_RETURN(TensorId row, storages.AddView(x, {.kind = ViewKind::kSelect, ...},
//   row_value)); RETURN_IF_ERROR(storages.Write(row, doubled));   // x[0] *= 2
//   ASSIGN_OR_RETURN(ValueId now, storages.Read(x)); // x with its first row replaced
//
// A storage is a tree of views below the tensor that it was made as. A write to a view goes up the
// tree (a slice is scattered into what it is a slice of, a permutation is undone); the other views
// are then stale, and derived again from what is above them when they are read.
//
// Not thread-safe.

#ifndef MANTISSA_SERVER_MODELS_STORAGES_H_
#define MANTISSA_SERVER_MODELS_STORAGES_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "planner/graph/graph.h"
#include "server/models/emitter.h"
#include "server/models/limits.h"

namespace mantissa::models {

enum class ViewKind {
  kReshape,    // all of it, in order, in another shape
  kPermute,    // all of it; argument "dims"
  kTranspose,  // all of it; undone by itself
  kSlice,      // arguments "dim", "start", "end", "step"
  kSelect,     // arguments "dim", "index"
  kOther,      // can't be written to
};

// How a view comes from what is above it.
struct ViewStep {
  ViewKind kind = ViewKind::kOther;
  std::string op;
  std::string overload;
  // Without "self".
  std::vector<planner::Argument> args;
};

using TensorId = int;

class Storages {
 public:
  Storages(Emitter& emitter, const Limits& limits) : emitter_(emitter), limits_(limits) {}

  // A tensor in memory of its own.
  TensorId Add(planner::ValueId value);
  // A tensor in the memory of another, whose value is `value` now. ResourceExhausted where views of
  // views go too deep.
  absl::StatusOr<TensorId> AddView(TensorId of, ViewStep step, planner::ValueId value);

  // The value that the tensor has now; may emit operators.
  planner::ValueId Read(TensorId tensor);
  // Gives it another one, of the same shape and type. InvalidArgument where it is a view that can't
  // be written to.
  absl::Status Write(TensorId tensor, planner::ValueId value);
  // Whether the storage was written to since it was added.
  bool IsWritten(TensorId tensor) const { return versions_[tensors_[tensor].storage] > 0; }

 private:
  struct Tensor {
    int storage = 0;
    // -1 for the tensor that the storage was made as.
    TensorId above = -1;
    ViewStep step;
    planner::ValueId value = planner::kNoValue;
    // The storage's when `value` was right.
    int version = 0;
    int depth = 0;
  };

  bool IsFresh(const Tensor& tensor) const { return tensor.version == versions_[tensor.storage]; }
  // What is above `view` once it has `value`.
  absl::StatusOr<planner::ValueId> Undo(const Tensor& view, planner::ValueId value);

  Emitter& emitter_;
  const Limits& limits_;
  std::vector<Tensor> tensors_;
  // By storage: how often it was written to.
  std::vector<int> versions_;
};

}  // namespace mantissa::models

#endif  // MANTISSA_SERVER_MODELS_STORAGES_H_
