// server/models/call.h
//
// An operator call of a program, its names resolved: what the importer rewrites and emits.

#ifndef MANTISSA_SERVER_MODELS_CALL_H_
#define MANTISSA_SERVER_MODELS_CALL_H_

#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "planner/graph/graph.h"
#include "server/models/layout.h"

namespace mantissa::models {

// What a call makes.
struct CallOutput {
  std::string name;
  planner::DType dtype = planner::DType::kFloat32;
  planner::Shape shape;
  // At export, which says what shares memory.
  Layout layout;
};

struct Call {
  // "aten::conv2d" and its overload, "" for the default.
  std::string op;
  std::string overload;
  std::vector<planner::Argument> args;
  // Nothing where the operator gives no tensor.
  std::vector<std::optional<CallOutput>> outputs;
  // Of the first argument that is a tensor; empty where there is none.
  std::string self;
  planner::DType self_dtype = planner::DType::kFloat32;
  Layout self_layout;
  // Whether the outputs are the entries of a list.
  bool gives_list = false;

  // InvalidArgument: "the operator aten::add (add_3) `what`".
  absl::Status Error(absl::string_view what) const;
};

// The argument of that name; nullptr where it was left out.
const planner::ArgumentValue* FindArgument(const Call& call, absl::string_view name);

// A size or a list of them as an argument: numbers where they are the same for every batch.
planner::ArgumentValue SizeArgument(const planner::Dim& dim);
planner::ArgumentValue SizesArgument(const planner::Shape& shape);

}  // namespace mantissa::models

#endif  // MANTISSA_SERVER_MODELS_CALL_H_
