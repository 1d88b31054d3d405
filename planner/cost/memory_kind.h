// planner/cost/memory_kind.h
//
// What the tensor bytes of a training step are for. The memory model predicts them by these kinds,
// the engine measures them by the same.
//
//   MemoryByKind bytes;
//   bytes.of(MemoryKind::kActivations) += 128;

#ifndef MANTISSA_PLANNER_COST_MEMORY_KIND_H_
#define MANTISSA_PLANNER_COST_MEMORY_KIND_H_

#include <array>
#include <cstdint>

namespace mantissa::planner {

enum class MemoryKind {
  kMasters,      // fp32 weights that the optimizer changes, and buffers
  kWeights,      // rounded copies of theta
  kActivations,  // v, and what nodes keep for backward
  kGradients,    // dv and dtheta
  kOptimizer,    // moments
  kWorkspace,    // everything inside a task: unpacked tiles, temporaries of operators, labels
};
inline constexpr int kMemoryKinds = 6;

// Bytes.
struct MemoryByKind : std::array<int64_t, kMemoryKinds> {
  int64_t& of(MemoryKind kind) { return (*this)[static_cast<int>(kind)]; }
  int64_t of(MemoryKind kind) const { return (*this)[static_cast<int>(kind)]; }
  int64_t total() const {
    int64_t sum = 0;
    for (const int64_t bytes : *this) sum += bytes;
    return sum;
  }
  MemoryByKind& operator+=(const MemoryByKind& other) {
    for (int kind = 0; kind < kMemoryKinds; ++kind) (*this)[kind] += other[kind];
    return *this;
  }
  MemoryByKind& operator-=(const MemoryByKind& other) {
    for (int kind = 0; kind < kMemoryKinds; ++kind) (*this)[kind] -= other[kind];
    return *this;
  }
};

}  // namespace mantissa::planner

#endif  // MANTISSA_PLANNER_COST_MEMORY_KIND_H_
