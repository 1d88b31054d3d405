// One node of a planner::Graph, looked up in LibTorch once and ready to be called many times: the
// operator by name and overload, its arguments by the names of its schema, those left out by the
// schema's defaults.
//
//   ASSIGN_OR_RETURN(OperatorCall call, OperatorCall::Resolve(node));
//   std::vector<at::Tensor> results = call.Call({x, weight, bias}, {.batch_size = 32});
//
// What an exported graph bakes in of the machine it was made on gives way: devices are the run's,
// memory formats LibTorch's default.
#ifndef MANTISSA_SERVER_ENGINE_OPERATOR_CALL_H_
#define MANTISSA_SERVER_ENGINE_OPERATOR_CALL_H_

#include <cstdint>
#include <vector>

#include "ATen/core/dispatch/Dispatcher.h"
#include "ATen/core/ivalue.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "c10/core/Device.h"
#include "planner/graph/graph.h"

namespace mantissa::engine {

at::ScalarType ScalarTypeOf(planner::DType dtype);

// What a call takes that the graph does not say.
struct CallContext {
  // False: batch norm takes the running statistics and dropout passes everything.
  bool training = true;
  // Of the samples handed over, which sizes that depend on the batch follow.
  int64_t batch_size = 1;
  c10::Device device = c10::DeviceType::CPU;
};

class OperatorCall {
 public:
  // InvalidArgument names the node and what LibTorch does not know of it.
  static absl::StatusOr<OperatorCall> Resolve(const planner::Node& node);

  const c10::OperatorHandle& handle() const { return handle_; }
  // Whether it takes numbers of LibTorch's generator.
  bool is_random() const;

  // The tensors that the operator reads, in the order of planner::TensorInputs.
  const std::vector<planner::ValueId>& tensors() const { return tensors_; }
  // Which of them is the argument of that name; -1 if it was not given, or is a list.
  int TensorIndex(absl::string_view name) const;
  // An argument that is no tensor, as given or by default. REQUIRES: the schema has it, and it does
  // not depend on the batch.
  c10::IValue Argument(absl::string_view name) const;

  // The operator's tensors, lists flattened, by the node's outputs. `tensors` stand for tensors(),
  // in order. Throws what LibTorch throws.
  std::vector<at::Tensor> Call(std::vector<at::Tensor> tensors, const CallContext& context) const;

 private:
  friend class ArgumentCompiler;
  // The next of tensors() as one argument. In a list, false stands for None.
  struct TensorArgument {
    int argument = 0;
    std::vector<bool> given = {true};
    bool is_list = false;
    bool is_optional_list = false;
  };
  // An argument that depends on the batch.
  struct SizeArgument {
    int argument = 0;
    planner::Shape sizes;
    enum class Kind { kNumber, kFloat, kTensor, kList } kind = Kind::kNumber;
  };
  explicit OperatorCall(c10::OperatorHandle handle) : handle_(std::move(handle)) {}

  absl::Status FillDefaults(const std::vector<bool>& given, absl::string_view node);
  void FindSwitches();
  c10::IValue Tensors(const TensorArgument& argument, std::vector<at::Tensor>& tensors,
                      size_t& next) const;

  c10::OperatorHandle handle_;
  std::vector<c10::IValue> template_;
  std::vector<planner::ValueId> tensors_;
  std::vector<TensorArgument> tensor_arguments_;
  std::vector<SizeArgument> size_arguments_;
  // What evaluation turns off: flags that are true in the graph, and probabilities.
  std::vector<int> training_flags_, dropout_rates_;
  std::vector<int> devices_;
};

}  // namespace mantissa::engine

#endif  // MANTISSA_SERVER_ENGINE_OPERATOR_CALL_H_
