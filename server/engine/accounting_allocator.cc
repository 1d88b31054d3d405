#include "server/engine/accounting_allocator.h"

#include <utility>

#include "c10/core/CPUAllocator.h"
#include "c10/core/impl/alloc_cpu.h"

namespace mantissa::engine {
namespace {

// Above LibTorch's own.
constexpr uint8_t kPriority = 255;

// Set once, before it is LibTorch's. Never deleted: tensors may outlive main().
AccountingAllocator* installed = nullptr;

}  // namespace

AccountingAllocator& AccountingAllocator::Install() {
  static const bool done = [] {
    installed = new AccountingAllocator;
    c10::SetCPUAllocator(installed, kPriority);
    return true;
  }();
  static_cast<void>(done);
  return *installed;
}

int64_t AccountingAllocator::live_bytes() const {
  std::lock_guard lock(mutex_);
  return live_;
}

int64_t AccountingAllocator::peak_bytes() const {
  std::lock_guard lock(mutex_);
  return peak_;
}

void AccountingAllocator::SetPeak() {
  peak_ = live_;
  if (on_peak_) on_peak_(peak_);
}

void AccountingAllocator::ResetPeak() {
  std::lock_guard lock(mutex_);
  SetPeak();
}

void AccountingAllocator::set_on_peak(std::function<void(int64_t)> on_peak) {
  std::lock_guard lock(mutex_);
  on_peak_ = std::move(on_peak);
}

void AccountingAllocator::ExplainPeak() {
  std::lock_guard lock(mutex_);
  if (live_ == peak_) SetPeak();
}

c10::DataPtr AccountingAllocator::allocate(size_t bytes) {
  // Null for no bytes; throws where there is no memory.
  void* data = c10::alloc_cpu(bytes);
  const c10::Device device(c10::DeviceType::CPU);
  if (data == nullptr) return {nullptr, nullptr, &Free, device};
  c10::DataPtr result(data, data, &Free, device);
  std::lock_guard lock(mutex_);
  sizes_.emplace(data, static_cast<int64_t>(bytes));
  live_ += static_cast<int64_t>(bytes);
  if (live_ > peak_) SetPeak();
  return result;
}

void AccountingAllocator::Free(void* data) {
  if (data == nullptr) return;
  {
    // Before the memory is free: the next owner of the address must find no entry.
    std::lock_guard lock(installed->mutex_);
    const auto entry = installed->sizes_.find(data);
    // None: raw memory of before the installation.
    if (entry != installed->sizes_.end()) {
      installed->live_ -= entry->second;
      installed->sizes_.erase(entry);
    }
  }
  c10::free_cpu(data);
}

c10::DeleterFnPtr AccountingAllocator::raw_deleter() const { return &Free; }

void AccountingAllocator::copy_data(void* to, const void* from, size_t bytes) const {
  default_copy_data(to, from, bytes);
}

}  // namespace mantissa::engine
