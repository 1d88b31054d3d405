// planner/cost/moments.h
//
// Bytes of an optimizer's moments. The engine stores them by these rules, the memory model adds
// them up.
//
//   int64_t bytes = MomentBytes(OptimizerStateWidth::kInt8, parameter_elements);
//
// In 8 bits, each block of 2048 elements has a float32 scale, and a parameter of fewer than 4096
// elements keeps its moments in fp32, as Dettmers et al. do ("8-bit Optimizers via Block-wise
// Quantization", ICLR 2022): biases and batch norms, where it would save nothing worth having.

#ifndef MANTISSA_PLANNER_COST_MOMENTS_H_
#define MANTISSA_PLANNER_COST_MOMENTS_H_

#include <cstdint>

namespace mantissa::planner {

// SGD has one moment a parameter element, AdamW two.
enum class OptimizerKind { kSgd, kAdamW };
enum class OptimizerStateWidth { kFp32, kBf16, kInt8 };

inline constexpr int64_t kMomentBlockElements = 2048;
inline constexpr int64_t kInt8MomentMinElements = 4096;

// Elements of a narrow moment that stand in fp32 at a time while a parameter is updated.
inline constexpr int64_t kMomentChunkElements = int64_t{1} << 18;

// Whether a parameter's moments stand in fp32.
constexpr bool IsWideMoment(OptimizerStateWidth width, int64_t elements) {
  return width == OptimizerStateWidth::kFp32 ||
         (width == OptimizerStateWidth::kInt8 && elements < kInt8MomentMinElements);
}

// Bytes of one moment of a parameter.
constexpr int64_t MomentBytes(OptimizerStateWidth width, int64_t elements) {
  if (IsWideMoment(width, elements)) return 4 * elements;
  if (width == OptimizerStateWidth::kBf16) return 2 * elements;
  return elements + 4 * ((elements + kMomentBlockElements - 1) / kMomentBlockElements);
}

// Bytes in which narrow moments are unpacked, beside each moment and as long as it: float32 for
// whole blocks of the largest parameter, kMomentChunkElements at most, and three counts.
constexpr int64_t MomentScratchBytes(OptimizerStateWidth width, int64_t largest_elements) {
  if (IsWideMoment(width, largest_elements)) return 0;
  const int64_t blocks = (largest_elements + kMomentBlockElements - 1) / kMomentBlockElements;
  const int64_t elements = blocks * kMomentBlockElements;
  return 4 * (elements < kMomentChunkElements ? elements : kMomentChunkElements) + 3 * 8;
}

}  // namespace mantissa::planner

#endif  // MANTISSA_PLANNER_COST_MOMENTS_H_
