#include "server/engine/model_state.h"

#include <set>
#include <utility>

#include "ATen/ops/empty_like.h"
#include "ATen/ops/ones.h"
#include "ATen/ops/zeros.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/types/span.h"
#include "base/random.h"
#include "base/status.h"
#include "server/engine/operator_call.h"
#include "server/engine/random_streams.h"

namespace mantissa::engine {
namespace {

using planner::Initializer;
using planner::ValueId;

// What is kept does not grow with the batch.
std::vector<int64_t> SizesOf(const planner::Value& value) {
  return planner::SizesAt(value.shape, /*batch_size=*/1);
}

void Fill(const at::Tensor& tensor, const Initializer& initializer, RandomStream numbers) {
  float* const data = tensor.mutable_data_ptr<float>();
  for (int64_t i = 0; i < tensor.numel(); ++i) {
    switch (initializer.kind) {
      case Initializer::Kind::kZeros:
        data[i] = 0;
        break;
      case Initializer::Kind::kOnes:
        data[i] = 1;
        break;
      case Initializer::Kind::kNormal:
        data[i] = static_cast<float>(initializer.scale * numbers.Normal());
        break;
      case Initializer::Kind::kUniform:
        data[i] = static_cast<float>(initializer.scale * (2 * numbers.Uniform() - 1));
        break;
    }
  }
}

}  // namespace

bool CountsBatches(const planner::Value& buffer) {
  return buffer.dtype == planner::DType::kInt64 &&
         absl::EndsWith(buffer.name, "num_batches_tracked");
}

ModelState EmptyState(const planner::Graph& graph) {
  ModelState state;
  for (const ValueId id : graph.parameters()) {
    state.parameters.push_back(at::zeros(SizesOf(graph.value(id)), at::kFloat));
  }
  for (const ValueId id : graph.buffers()) {
    const planner::Value& buffer = graph.value(id);
    state.buffers.push_back(absl::EndsWith(buffer.name, "running_var")
                                ? at::ones(SizesOf(buffer), ScalarTypeOf(buffer.dtype))
                                : at::zeros(SizesOf(buffer), ScalarTypeOf(buffer.dtype)));
  }
  for (const ValueId id : graph.constants()) {
    const planner::Value& constant = graph.value(id);
    state.constants.push_back(at::zeros(SizesOf(constant), ScalarTypeOf(constant.dtype)));
  }
  return state;
}

void MoveState(const at::Device& device, ModelState& state) {
  for (std::vector<at::Tensor>* tensors :
       {&state.parameters, &state.buffers, &state.constants, &state.averages}) {
    for (at::Tensor& tensor : *tensors) tensor = tensor.to(device);
  }
}

void AverageFrom(const planner::Graph& graph, ModelState& state) {
  state.averages.clear();
  for (size_t i = 0; i < state.parameters.size(); ++i) {
    const bool frozen = graph.value(graph.parameters()[i]).frozen;
    state.averages.push_back(frozen ? state.parameters[i] : state.parameters[i].clone());
  }
}

absl::StatusOr<ModelState> InitialState(const planner::Graph& graph,
                                        const planner::ModelOptions& model, uint64_t seed) {
  ASSIGN_OR_RETURN(const std::vector<Initializer> initializers,
                   planner::InitializersOf(model, graph));
  MANTISSA_CHECK(initializers.size() == graph.parameters().size());
  ModelState state = EmptyState(graph);
  for (size_t i = 0; i < initializers.size(); ++i) {
    Fill(state.parameters[i], initializers[i], RandomStream(seed, InitialWeightsStream(i)));
  }
  return state;
}

namespace {

const char* FileTypeOf(const at::Tensor& tensor) {
  switch (tensor.scalar_type()) {
    case at::kFloat:
      return "F32";
    case at::kBFloat16:
      return "BF16";
    case at::kDouble:
      return "F64";
    case at::kHalf:
      return "F16";
    case at::kLong:
      return "I64";
    case at::kInt:
      return "I32";
    case at::kBool:
      return "BOOL";
    default:
      MANTISSA_CHECK(tensor.scalar_type() == at::kByte);
      return "U8";
  }
}

}  // namespace

data::SafetensorsTensor AsFileTensor(std::string name, const at::Tensor& tensor) {
  MANTISSA_CHECK(tensor.is_contiguous() && tensor.is_cpu());
  return {.name = std::move(name),
          .dtype = FileTypeOf(tensor),
          .shape = tensor.sizes().vec(),
          .bytes = absl::string_view(static_cast<const char*>(tensor.const_data_ptr()),
                                     tensor.nbytes())};
}

absl::Status ReadFileTensor(const data::Safetensors& file, const std::string& name,
                            const at::Tensor& tensor) {
  MANTISSA_CHECK(tensor.is_contiguous());
  const absl::Span<const int64_t> shape(tensor.sizes().data(), tensor.sizes().size());
  const at::Tensor host = tensor.is_cpu() ? tensor : at::empty_like(tensor, at::kCPU);
  RETURN_IF_ERROR(
      file.ReadBytes(name, FileTypeOf(tensor), shape,
                     absl::MakeSpan(static_cast<char*>(host.mutable_data_ptr()), host.nbytes())));
  if (!host.is_same(tensor)) tensor.copy_(host);
  return absl::OkStatus();
}

namespace {

// Without a remedy. `path` is that of `file`.
absl::Status ReadState(const data::Safetensors& file, absl::string_view path,
                       const planner::Graph& graph, ModelState& state) {
  std::set<std::string> wanted;
  for (size_t i = 0; i < graph.parameters().size(); ++i) {
    const std::string& name = graph.value(graph.parameters()[i]).name;
    wanted.insert(name);
    RETURN_IF_ERROR(ReadFileTensor(file, name, state.parameters[i]));
  }
  for (size_t i = 0; i < graph.buffers().size(); ++i) {
    const planner::Value& buffer = graph.value(graph.buffers()[i]);
    wanted.insert(buffer.name);
    if (CountsBatches(buffer) && !file.entries().contains(buffer.name)) continue;
    RETURN_IF_ERROR(ReadFileTensor(file, buffer.name, state.buffers[i]));
  }
  for (const auto& [name, others] : state.other_names) wanted.insert(others.begin(), others.end());
  for (const auto& [name, tensor] : state.unused) wanted.insert(name);
  for (const auto& [name, entry] : file.entries()) {
    if (wanted.contains(name)) continue;
    return absl::InvalidArgumentError(absl::StrCat(path, ": tensor ", name, " is not one of the ",
                                                   wanted.size(), " of model ", graph.name()));
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status LoadState(FileSystem& files, absl::string_view path, const planner::Graph& graph,
                       ModelState& state) {
  ASSIGN_OR_RETURN(const data::Safetensors file, data::Safetensors::Open(files, path));
  const absl::Status status = ReadState(file, path, graph, state);
  if (!absl::IsInvalidArgument(status)) return status;
  return absl::InvalidArgumentError(absl::StrCat(
      status.message(), ". Use weights of the same model, width and number of classes; `mantissa ",
      "model describe ", graph.name(), "` with --width and --classes tells what this one has."));
}

absl::Status SaveState(FileSystem& files, absl::string_view path, const planner::Graph& graph,
                       const ModelState& state) {
  std::vector<data::SafetensorsTensor> tensors;
  std::vector<at::Tensor> host;  // whose memory `tensors` shows
  const auto add = [&](planner::ValueId value, const at::Tensor& tensor) {
    host.push_back(tensor.cpu());
    const std::string& name = graph.value(value).name;
    tensors.push_back(AsFileTensor(name, host.back()));
    const auto others = state.other_names.find(name);
    if (others == state.other_names.end()) return;
    for (const std::string& other : others->second) {
      tensors.push_back(AsFileTensor(other, host.back()));
    }
  };
  for (size_t i = 0; i < state.parameters.size(); ++i) {
    add(graph.parameters()[i], state.parameters[i]);
  }
  for (size_t i = 0; i < state.buffers.size(); ++i) add(graph.buffers()[i], state.buffers[i]);
  for (const auto& [name, tensor] : state.unused) tensors.push_back(AsFileTensor(name, tensor));
  return data::WriteSafetensors(files, path, tensors, {{"format", "pt"}});
}

}  // namespace mantissa::engine
