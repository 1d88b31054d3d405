#include "server/engine/model_state.h"

#include <set>
#include <utility>

#include "ATen/ops/ones.h"
#include "ATen/ops/zeros.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/types/span.h"
#include "base/random.h"
#include "base/status.h"
#include "server/engine/random_streams.h"

namespace mantissa::engine {
namespace {

using planner::Initializer;
using planner::ValueId;

std::vector<int64_t> SizesOf(const planner::Value& value) {
  std::vector<int64_t> sizes;
  for (const planner::Dim& dim : value.shape) sizes.push_back(dim.factor);
  return sizes;
}

at::ScalarType TypeOf(const planner::Value& value) {
  return value.dtype == planner::DType::kInt64 ? at::kLong : at::kFloat;
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
                                ? at::ones(SizesOf(buffer), TypeOf(buffer))
                                : at::zeros(SizesOf(buffer), TypeOf(buffer)));
  }
  return state;
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

SafetensorsTensor AsFileTensor(std::string name, const at::Tensor& tensor) {
  MANTISSA_CHECK(tensor.is_contiguous());
  return {.name = std::move(name),
          .dtype = tensor.scalar_type() == at::kLong ? "I64" : "F32",
          .shape = tensor.sizes().vec(),
          .bytes = absl::string_view(static_cast<const char*>(tensor.const_data_ptr()),
                                     tensor.nbytes())};
}

absl::Status ReadFileTensor(const Safetensors& file, const std::string& name,
                            const at::Tensor& tensor) {
  MANTISSA_CHECK(tensor.is_contiguous());
  const absl::Span<const int64_t> shape(tensor.sizes().data(), tensor.sizes().size());
  if (tensor.scalar_type() == at::kLong) {
    return file.ReadI64(name, shape,
                        absl::MakeSpan(tensor.mutable_data_ptr<int64_t>(), tensor.numel()));
  }
  return file.ReadF32(name, shape,
                      absl::MakeSpan(tensor.mutable_data_ptr<float>(), tensor.numel()));
}

namespace {

// Without a remedy. `path` is that of `file`.
absl::Status ReadState(const Safetensors& file, absl::string_view path, const planner::Graph& graph,
                       ModelState& state) {
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
  ASSIGN_OR_RETURN(const Safetensors file, Safetensors::Open(files, path));
  const absl::Status status = ReadState(file, path, graph, state);
  if (!absl::IsInvalidArgument(status)) return status;
  return absl::InvalidArgumentError(absl::StrCat(
      status.message(), ". Use weights of the same model, width and number of classes; `mantissa ",
      "model describe ", graph.name(), "` with --width and --classes tells what this one has."));
}

absl::Status SaveState(FileSystem& files, absl::string_view path, const planner::Graph& graph,
                       const ModelState& state) {
  std::vector<SafetensorsTensor> tensors;
  for (size_t i = 0; i < state.parameters.size(); ++i) {
    tensors.push_back(AsFileTensor(graph.value(graph.parameters()[i]).name, state.parameters[i]));
  }
  for (size_t i = 0; i < state.buffers.size(); ++i) {
    tensors.push_back(AsFileTensor(graph.value(graph.buffers()[i]).name, state.buffers[i]));
  }
  return WriteSafetensors(files, path, tensors, {{"format", "pt"}});
}

}  // namespace mantissa::engine
