// server/engine/memory_meter.h
//
// The most tensor bytes at one time on a device, by what they were for.
//
//   std::unique_ptr<MemoryMeter> meter = MemoryMeter::Create(at::kCPU);
//   meter->ResetPeak();
//   Run();
//   Print(meter->Peak().total(), meter->Peak().of(planner::MemoryKind::kActivations));
//
// On the CPU an accounting allocator counts, and the ledger is read at the moment of the peak. On
// other devices the allocator of LibTorch counts, and the ledger is read by Peak(): call it before
// what was alive at the peak is released.

#ifndef MANTISSA_SERVER_ENGINE_MEMORY_METER_H_
#define MANTISSA_SERVER_ENGINE_MEMORY_METER_H_

#include <cstdint>
#include <memory>

#include "ATen/core/Tensor.h"
#include "planner/cost/memory_kind.h"

namespace mantissa::engine {

class MemoryMeter {
 public:
  // Counts from now on: make one before the tensors that it shall know. One at a time on the CPU.
  static std::unique_ptr<MemoryMeter> Create(at::Device device);

  virtual ~MemoryMeter() = default;
  virtual void ResetPeak() = 0;
  // Since ResetPeak(). Workspace is what the ledger does not know.
  virtual planner::MemoryByKind Peak() = 0;
  // Now.
  virtual planner::MemoryByKind Live() = 0;
  // Bytes that tensors may still take, as far as the machine or device knows; 0 if it does not.
  virtual int64_t FreeBytes() = 0;
};

}  // namespace mantissa::engine

#endif  // MANTISSA_SERVER_ENGINE_MEMORY_METER_H_
