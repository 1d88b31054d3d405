// server/engine/memory_ledger.h
//
// Live tensor bytes of the process by what they are for.
//
//   PackedTensor y = PackedTensor::Empty(...);
//   MemoryLedger::Process().Tag(y.codes(), planner::MemoryKind::kActivations);
//
// A tag belongs to a tensor's storage and ends with it, so views share it, moving and releasing
// tensors needs nothing, and nothing can be forgotten. What has no tag is workspace. Tag a tensor
// as soon as it is made: a peak before that counts it as workspace. Thread-safe.

#ifndef MANTISSA_SERVER_ENGINE_MEMORY_LEDGER_H_
#define MANTISSA_SERVER_ENGINE_MEMORY_LEDGER_H_

#include <array>
#include <atomic>
#include <cstdint>
#include <functional>

#include "ATen/core/Tensor.h"
#include "planner/cost/memory_kind.h"

namespace mantissa::engine {

class MemoryLedger {
 public:
  // Lives as long as the process, since tensors do.
  static MemoryLedger& Process();

  MemoryLedger(const MemoryLedger&) = delete;
  MemoryLedger& operator=(const MemoryLedger&) = delete;

  // Does nothing to an undefined or empty tensor, to one whose memory is not from its device's
  // allocator (a view of foreign memory), and to a storage that has a tag: the first one stands.
  // A tagged storage can't be given to another stream by record_stream.
  // REQUIRES: `kind` is not kWorkspace.
  void Tag(const at::Tensor& tensor, planner::MemoryKind kind);

  // Tagged bytes; `workspace` is 0.
  planner::MemoryByKind live() const;

  // Called after each tag. Set before tensors are tagged on other threads. Empty: nothing.
  void set_on_tag(std::function<void()> on_tag) { on_tag_ = std::move(on_tag); }

 private:
  struct TaggedMemory;
  MemoryLedger() = default;

  std::array<std::atomic<int64_t>, planner::kMemoryKinds> bytes_ = {};
  std::function<void()> on_tag_;
};

}  // namespace mantissa::engine

#endif  // MANTISSA_SERVER_ENGINE_MEMORY_LEDGER_H_
