// server/models/rewrite.h
//
// Operators of a program as the graph has them: one name for what has many, no tensor that only
// stands for sizes, and nothing that changes its input.
//
//   aten::view(x, [s0, -1])         aten::reshape(x, [batch, -1])
//   aten::expand_as(x, y)           aten::expand(x, sizes of y)
//   aten::new_zeros(x, [2])         aten::zeros([2], dtype of x)
//   aten::to.device(x, cpu, ...)    aten::to.dtype(x, dtype), or nothing where it has that type
//   aten::add_.Tensor(x, y)         aten::add.Tensor(x, y)
//   aten::bernoulli_.float(x, 0.5)  aten::bernoulli.p(x, 0.5)
//
// Where another tensor stands for sizes, they come from the metadata of the result. aten::reshape
// stands for aten::view because it takes tensors of any strides.

#ifndef MANTISSA_SERVER_MODELS_REWRITE_H_
#define MANTISSA_SERVER_MODELS_REWRITE_H_

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "server/models/call.h"
#include "server/models/storages.h"

namespace mantissa::models {

// What an operator's result is to its first tensor.
enum class ResultKind {
  kNew,    // a tensor of its own
  kSame,   // the tensor itself
  kCopy,   // its value in memory of its own
  kView,   // another view of its memory
  kParts,  // views of its memory, one after the other along a dimension
};

struct Result {
  ResultKind kind = ResultKind::kNew;
  // Of kView.
  ViewKind view = ViewKind::kOther;
};

// Whether an operator changes its first argument: its name ends in "_", but not in "__".
bool ChangesInput(absl::string_view op);

// Whether it is a dropout, in place or not, that gives its input: p = 0 or train = false.
bool DropsNothing(const Call& call);

// REQUIRES: it does not change its input.
absl::StatusOr<Result> RewriteCall(Call& call);

// The operator that computes what such an operator writes.
absl::Status MakeFunctional(Call& call);

}  // namespace mantissa::models

#endif  // MANTISSA_SERVER_MODELS_REWRITE_H_
