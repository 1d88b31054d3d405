// One node of a planner::Graph, looked up in LibTorch once and ready to be called many times: the
// operator by name and overload, its arguments by the names of its schema, those left out by the
// schema's defaults.
//
//   ASSIGN_OR_RETURN(OperatorCall call, OperatorCall::Resolve(graph, node));
//   std::vector<c10::IValue> stack = call.Arguments({x, weight, bias}, /*training=*/true);
//   call.handle().callBoxed(stack);  // results are on the stack
#ifndef MANTISSA_SERVER_ENGINE_OPERATOR_CALL_H_
#define MANTISSA_SERVER_ENGINE_OPERATOR_CALL_H_

#include <cstdint>
#include <vector>

#include "ATen/core/dispatch/Dispatcher.h"
#include "ATen/core/ivalue.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "planner/graph/graph.h"

namespace mantissa::engine {

class OperatorCall {
 public:
  // InvalidArgument names the node and what LibTorch does not know of it.
  static absl::StatusOr<OperatorCall> Resolve(const planner::Graph& graph,
                                              const planner::Node& node);

  const c10::OperatorHandle& handle() const { return handle_; }

  // The tensors that the operator reads, in the order of planner::TensorInputs.
  const std::vector<planner::ValueId>& tensors() const { return tensors_; }
  // Which of them is the argument of that name; -1 if it was not given, or is a list.
  int TensorIndex(absl::string_view name) const;
  // An argument that is no tensor, as given or by default. REQUIRES: the schema has it.
  c10::IValue Argument(absl::string_view name) const;

  // A stack for the call. `tensors` stand for tensors(), in order; `training` takes the place of
  // the graph's training flags.
  std::vector<c10::IValue> Arguments(std::vector<c10::IValue> tensors, bool training) const;

 private:
  friend class ArgumentCompiler;
  // A list of tensors as one argument: the next `size` of tensors(), or a single one.
  struct TensorArgument {
    int argument = 0;
    int size = 1;
    bool is_list = false;
    bool is_optional_list = false;
  };
  explicit OperatorCall(c10::OperatorHandle handle) : handle_(std::move(handle)) {}

  c10::OperatorHandle handle_;
  std::vector<c10::IValue> template_;
  std::vector<planner::ValueId> tensors_;
  std::vector<TensorArgument> tensor_arguments_;
  int training_argument_ = -1;
};

}  // namespace mantissa::engine

#endif  // MANTISSA_SERVER_ENGINE_OPERATOR_CALL_H_
