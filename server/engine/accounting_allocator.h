// server/engine/accounting_allocator.h
//
// LibTorch's allocator of CPU memory, with the bytes of all live tensors counted.
//
//   AccountingAllocator& allocator = AccountingAllocator::Install();
//   allocator.ResetPeak();
//   Run();
//   Print(allocator.peak_bytes());
//
// Counts what was asked for, by tensors and by LibTorch's own scratch memory alike, from the moment
// it was installed; memory of before is freed as ever and not counted. Thread-safe, frees on other
// threads than the allocation's included. Costs a lock and an entry of a hash table an allocation.
// Needs libc10 alone.

#ifndef MANTISSA_SERVER_ENGINE_ACCOUNTING_ALLOCATOR_H_
#define MANTISSA_SERVER_ENGINE_ACCOUNTING_ALLOCATOR_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <mutex>
#include <unordered_map>

#include "c10/core/Allocator.h"

namespace mantissa::engine {

class AccountingAllocator final : public c10::Allocator {
 public:
  // The process's, which the first call makes LibTorch's. Lives as long as the process.
  static AccountingAllocator& Install();

  AccountingAllocator(const AccountingAllocator&) = delete;
  AccountingAllocator& operator=(const AccountingAllocator&) = delete;

  // Bytes now, and the most at one time since the last ResetPeak().
  int64_t live_bytes() const;
  int64_t peak_bytes() const;
  void ResetPeak();

  // `on_peak` is called with the bytes at each new peak and by ResetPeak(), under the lock: it must
  // be quick and must not make or free tensors. Empty: nothing is called.
  void set_on_peak(std::function<void(int64_t)> on_peak);
  // Calls it once more if the peak is now: whoever explains the bytes has learned something.
  void ExplainPeak();

  c10::DataPtr allocate(size_t bytes) override;
  c10::DeleterFnPtr raw_deleter() const override;
  void copy_data(void* to, const void* from, size_t bytes) const override;

 private:
  AccountingAllocator() = default;
  // As LibTorch calls it: the context is the address.
  static void Free(void* data);
  void SetPeak();

  mutable std::mutex mutex_;
  std::unordered_map<void*, int64_t> sizes_;
  int64_t live_ = 0, peak_ = 0;
  std::function<void(int64_t)> on_peak_;
};

}  // namespace mantissa::engine

#endif  // MANTISSA_SERVER_ENGINE_ACCOUNTING_ALLOCATOR_H_
