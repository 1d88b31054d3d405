#include "tests/kernels/packed/host_memory.h"

#include <algorithm>
#include <cstddef>
#include <new>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"

namespace mantissa::kernels {
namespace {

constexpr size_t kAlignment = 64;
constexpr float kUntouched = -12345.0f;

// `offset` floats after a 64-byte boundary, with a margin after it that nobody may write.
class AlignedFloats {
 public:
  AlignedFloats(size_t n, size_t offset)
      : n_(n),
        offset_(offset),
        total_(offset + n + kMargin),
        data_(static_cast<float*>(
            ::operator new(total_ * sizeof(float), std::align_val_t(kAlignment)))) {
    std::fill(data_, data_ + total_, kUntouched);
  }
  ~AlignedFloats() { ::operator delete(data_, std::align_val_t(kAlignment)); }
  AlignedFloats(const AlignedFloats&) = delete;
  AlignedFloats& operator=(const AlignedFloats&) = delete;

  absl::Span<float> span() { return {data_ + offset_, n_}; }
  bool margins_untouched() const {
    const auto untouched = [](float x) { return x == kUntouched; };
    return std::all_of(data_, data_ + offset_, untouched) &&
           std::all_of(data_ + offset_ + n_, data_ + total_, untouched);
  }

 private:
  static constexpr size_t kMargin = 32;
  size_t n_, offset_, total_;
  float* data_;
};

}  // namespace

absl::StatusOr<Rounded> RoundInHostMemory(const Device& device, const RoundSpec& spec,
                                          const std::vector<float>& in,
                                          const Placement& placement) {
  AlignedFloats source(in.size(), placement.in_offset);
  std::copy(in.begin(), in.end(), source.span().begin());
  AlignedFloats target(in.size(), placement.out_offset);
  AlignedFloats& out = placement.in_place ? source : target;
  Rounded rounded;
  const absl::Status status = Round(device, spec, source.span(), out.span(), &rounded.counts);
  if (!status.ok()) return status;
  if (!source.margins_untouched() || !target.margins_untouched()) {
    return absl::InternalError("Round() wrote outside its output");
  }
  rounded.values.assign(out.span().begin(), out.span().end());
  return rounded;
}

}  // namespace mantissa::kernels
