#include "server/engine/moments.h"

#include <algorithm>
#include <utility>

#include "ATen/ops/empty.h"
#include "ATen/ops/zeros.h"
#include "ATen/ops/zeros_like.h"
#include "base/random.h"
#include "base/status.h"
#include "kernels/formats/format.h"
#include "kernels/packed/blockwise.h"
#include "kernels/packed/pack.h"
#include "planner/cost/memory_kind.h"
#include "server/engine/device.h"
#include "server/engine/memory_ledger.h"
#include "server/engine/random_streams.h"

namespace mantissa::engine {
namespace {

using kernels::BlockTable;
using planner::kMomentBlockElements;
using planner::OptimizerStateWidth;

static_assert(kMomentBlockElements == kernels::kBlockElements);
static_assert(planner::kMomentChunkElements % kMomentBlockElements == 0);

BlockTable TableOf(MomentSign sign) {
  return sign == MomentSign::kPositive ? BlockTable::kUnsigned : BlockTable::kSigned;
}

// Half of the table's least value above zero.
float LeastOf(BlockTable table) {
  uint8_t codes[256];
  for (int i = 0; i < 256; ++i) codes[i] = static_cast<uint8_t>(i);
  const float scale = 1;
  float values[256];
  MANTISSA_CHECK_OK(
      kernels::UnpackBlocks(kernels::Device::Cpu(), table, codes, &scale, 256, values));
  float least = 1;
  for (const float value : values) {
    if (value > 0) least = std::min(least, value);
  }
  return least / 2;
}

float* FloatsOf(const at::Tensor& tensor) { return static_cast<float*>(tensor.data_ptr()); }

}  // namespace

Moment::Moment(std::string name, MomentSign sign, OptimizerStateWidth width, uint64_t seed,
               int number, const std::vector<at::Tensor>& parameters)
    : name_(std::move(name)), sign_(sign), width_(width), seed_(seed), number_(number) {
  int64_t most = 0;
  for (const at::Tensor& parameter : parameters) {
    Part part;
    if (planner::IsWideMoment(width, parameter.numel())) {
      part.wide = at::zeros_like(parameter);
    } else if (width == OptimizerStateWidth::kBf16) {
      part.codes = at::zeros(parameter.sizes(), parameter.options().dtype(at::kBFloat16));
    } else {
      part.codes = at::empty(parameter.sizes(), parameter.options().dtype(at::kByte));
      part.scales = at::empty({kernels::BlockCount(parameter.numel())}, parameter.options());
    }
    for (const at::Tensor& tensor : {part.wide, part.codes, part.scales}) {
      MemoryLedger::Process().Tag(tensor, planner::MemoryKind::kOptimizer);
    }
    if (part.codes.defined()) most = std::max(most, parameter.numel());
    parts_.push_back(std::move(part));
  }
  if (most == 0) return;
  const at::TensorOptions options = parameters[0].options();
  chunk_ = at::empty(
      {std::min(planner::kMomentChunkElements, kernels::BlockCount(most) * kMomentBlockElements)},
      options);
  counts_ = at::zeros({sizeof(kernels::RoundCounts) / sizeof(int64_t)}, options.dtype(at::kLong));
  if (width != OptimizerStateWidth::kInt8) return;
  if (sign == MomentSign::kPositive) least_ = LeastOf(BlockTable::kUnsigned);
  // Which code stands for zero is the table's affair.
  for (size_t i = 0; i < parts_.size(); ++i) {
    for (int64_t first = 0; !wide(i) && first < parts_[i].codes.numel(); first += chunk_.numel()) {
      const int64_t n = std::min(chunk_.numel(), parts_[i].codes.numel() - first);
      Store(i, first, chunk_.narrow(0, 0, n).zero_(), /*step=*/0);
    }
  }
}

at::Tensor Moment::Load(size_t parameter, int64_t first, int64_t n) {
  const Part& part = parts_[parameter];
  MANTISSA_CHECK(first % kMomentBlockElements == 0 && n <= chunk_.numel());
  const at::Tensor values = chunk_.narrow(0, 0, n);
  const kernels::Device device = KernelDeviceOf(chunk_);
  if (width_ == OptimizerStateWidth::kBf16) {
    MANTISSA_CHECK_OK(kernels::Unpack(device, kernels::kBf16, {.first = first, .length = n},
                                      kernels::Element::kFloat32, part.codes.const_data_ptr(),
                                      FloatsOf(values), kernels::Write::kReplace));
    return values;
  }
  const at::Tensor scales =
      part.scales.narrow(0, first / kMomentBlockElements, kernels::BlockCount(n));
  MANTISSA_CHECK_OK(kernels::UnpackBlocks(
      device, TableOf(sign_), static_cast<const uint8_t*>(part.codes.const_data_ptr()) + first,
      FloatsOf(scales), n, FloatsOf(values)));
  if (sign_ == MomentSign::kPositive) {
    at::Tensor blocks = chunk_.narrow(0, 0, scales.numel() * kMomentBlockElements)
                            .view({scales.numel(), kMomentBlockElements});
    blocks.clamp_min_(scales.mul(least_).unsqueeze(1));
  }
  return values;
}

void Moment::Store(size_t parameter, int64_t first, const at::Tensor& values, int64_t step) {
  const Part& part = parts_[parameter];
  MANTISSA_CHECK(first % kMomentBlockElements == 0);
  const int64_t n = values.numel();
  const kernels::Device device = KernelDeviceOf(values);
  if (width_ == OptimizerStateWidth::kInt8) {
    MANTISSA_CHECK_OK(
        kernels::PackBlocks(device, TableOf(sign_), FloatsOf(values), n,
                            static_cast<uint8_t*>(part.codes.mutable_data_ptr()) + first,
                            FloatsOf(part.scales) + first / kMomentBlockElements));
    return;
  }
  RandomStream numbers(seed_, MomentStream(parameter, number_, step));
  kernels::RoundSpec spec{.format = kernels::kBf16,
                          .rounding = kernels::Rounding::kStochastic,
                          .overflow = kernels::Overflow::kInfinity,
                          .seed = uint64_t{numbers.Next()} << 32};
  spec.seed |= numbers.Next();
  MANTISSA_CHECK_OK(kernels::Pack(device, spec, {.first = first, .length = n},
                                  kernels::Element::kFloat32, FloatsOf(values),
                                  part.codes.mutable_data_ptr(),
                                  static_cast<kernels::RoundCounts*>(counts_.mutable_data_ptr())));
}

std::vector<Moment::State> Moment::states(size_t parameter) const {
  const Part& part = parts_[parameter];
  if (part.wide.defined()) return {{name_, part.wide}};
  std::vector<State> result = {{name_, part.codes}};
  if (part.scales.defined()) result.push_back({name_ + ".scales", part.scales});
  return result;
}

}  // namespace mantissa::engine
