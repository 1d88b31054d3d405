// The engine's accounting allocator for a Python process, so that both sides are measured the same
// way (pytorch_step.py).

#include <cstdint>

#include "server/engine/accounting_allocator.h"

using mantissa::engine::AccountingAllocator;

extern "C" {

// Counts the tensors made from now on.
void peers_meter_install() { AccountingAllocator::Install(); }

// Bytes.
int64_t peers_meter_live() { return AccountingAllocator::Install().live_bytes(); }
int64_t peers_meter_peak() { return AccountingAllocator::Install().peak_bytes(); }

// From now on is the time of the peak.
void peers_meter_start() { AccountingAllocator::Install().ResetPeak(); }

}  // extern "C"
