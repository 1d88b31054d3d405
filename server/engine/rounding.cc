#include "server/engine/rounding.h"

#include "absl/types/span.h"
#include "base/random.h"
#include "base/status.h"
#include "kernels/packed/pack.h"
#include "server/engine/device.h"
#include "server/engine/memory_ledger.h"
#include "server/engine/random_streams.h"

namespace mantissa::engine {
namespace {

absl::Span<float> SpanOf(const at::Tensor& tensor, int64_t first, int64_t length) {
  return absl::MakeSpan(static_cast<float*>(tensor.data_ptr()) + first, length);
}

bool IsGradient(planner::TensorKind kind) {
  return kind == planner::TensorKind::kActivationGradient ||
         kind == planner::TensorKind::kParameterGradient;
}

// Rounds a dense tile into its place in a float32 tensor.
void RoundPiece(kernels::RoundSpec spec, const kernels::Piece& piece, const at::Tensor& wide,
                const at::Tensor& out, kernels::RoundCounts* counts) {
  for (int64_t row = 0; row < piece.rows; ++row) {
    const int64_t place = piece.first + row * piece.stride;
    const uint64_t offset = spec.offset;
    spec.offset += place;
    MANTISSA_CHECK_OK(kernels::Round(KernelDeviceOf(out), spec,
                                     SpanOf(wide, row * piece.length, piece.length),
                                     SpanOf(out, place, piece.length), counts));
    spec.offset = offset;
  }
}

}  // namespace

kernels::RoundSpec Rounder::SpecOf(const RoundingSite& site) const {
  kernels::RoundSpec spec{.format = site.format,
                          .rounding = mode_,
                          .overflow = IsGradient(site.kind) ? kernels::Overflow::kInfinity
                                                            : kernels::Overflow::kSaturate};
  if (mode_ == kernels::Rounding::kStochastic) {
    RandomStream numbers(seed_, StochasticRoundingStream(site.stream, step_));
    spec.seed = uint64_t{numbers.Next()} << 32;
    spec.seed |= numbers.Next();
  }
  return spec;
}

void Rounder::Pack(RoundingSite& site, const Tile& tile, const at::Tensor& wide,
                   PackedTensor& out) {
  const kernels::Piece piece = PieceOf(out.sizes(), tile);
  const at::Tensor dense = wide.contiguous();
  if (out.codes().scalar_type() != at::kFloat) {
    MANTISSA_CHECK_OK(kernels::Pack(KernelDeviceOf(dense), SpecOf(site), piece,
                                    ElementOf(dense.scalar_type()), dense.const_data_ptr(),
                                    out.codes().mutable_data_ptr(), site.counter()));
  } else {
    RoundPiece(SpecOf(site), piece, dense.to(at::kFloat), out.codes(), site.counter());
  }
}

void Rounder::Store(RoundingSite& site, const Tile& tile, const at::Tensor& wide,
                    at::IntArrayRef sizes, Storage storage, planner::MemoryKind memory,
                    PackedTensor* out) {
  if (tile.first()) {
    site.counts = {};
    site.elements = 0;
  }
  site.elements += wide.numel();
  const bool take_over = tile.whole() && NativeType(site.format) == wide.scalar_type();
  if (take_over) {
    *out = PackedTensor::AsComputed(wide);
    MemoryLedger::Process().Tag(out->codes(), memory);
    if (probe_ == nullptr) return;
    Count(site, out->codes());
  } else {
    if (tile.first()) {
      *out = PackedTensor::Empty(sizes, site.format, storage, wide.device());
      MemoryLedger::Process().Tag(out->codes(), memory);
    }
    Pack(site, tile, wide, *out);
  }
  if (probe_ != nullptr) probe_->OnRounding(site, wide, out->Unpack(tile, at::kFloat));
}

void Rounder::Count(RoundingSite& site, const at::Tensor& values) {
  site.counts = {};
  const at::Tensor floats = values.to(at::kFloat);
  // Rounding to fp32 changes nothing.
  RoundPiece({.format = kernels::kFp32}, kernels::Piece::Whole(floats.numel()), floats, floats,
             site.counter());
}

}  // namespace mantissa::engine
