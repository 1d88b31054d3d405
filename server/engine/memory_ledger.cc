#include "server/engine/memory_ledger.h"

#include <utility>

#include "base/status.h"
#include "c10/core/Allocator.h"

namespace mantissa::engine {

// What a tagged storage owns in the place of its memory: the memory and the tag.
struct MemoryLedger::TaggedMemory {
  c10::DataPtr memory;
  std::atomic<int64_t>& counter;
  int64_t bytes;

  TaggedMemory(c10::DataPtr owned, std::atomic<int64_t>& by_kind, int64_t size)
      : memory(std::move(owned)), counter(by_kind), bytes(size) {
    counter.fetch_add(bytes, std::memory_order_relaxed);
  }
  ~TaggedMemory() { counter.fetch_sub(bytes, std::memory_order_relaxed); }
  TaggedMemory(const TaggedMemory&) = delete;
  TaggedMemory& operator=(const TaggedMemory&) = delete;

  // As LibTorch calls it.
  static void Delete(void* tagged) { delete static_cast<TaggedMemory*>(tagged); }
};

MemoryLedger& MemoryLedger::Process() {
  static MemoryLedger& ledger = *new MemoryLedger;
  return ledger;
}

void MemoryLedger::Tag(const at::Tensor& tensor, planner::MemoryKind kind) {
  MANTISSA_CHECK(kind != planner::MemoryKind::kWorkspace, "workspace is what has no tag");
  if (!tensor.defined() || !tensor.has_storage()) return;
  const c10::Storage& storage = tensor.storage();
  const c10::DataPtr& memory = storage.data_ptr();
  // Foreign memory is not in the allocator's count, so it must not be in ours; a tagged storage has
  // another deleter too.
  const c10::Allocator* allocator = c10::GetAllocator(tensor.device().type());
  if (memory.get() == nullptr || memory.get_deleter() != allocator->raw_deleter()) return;
  void* data = storage.mutable_data();
  const c10::Device device = memory.device();
  // The storage's hold on its memory goes into the tag, then the tag into the storage.
  auto* tagged =
      new TaggedMemory(storage.set_data_ptr({data, device}), bytes_[static_cast<int>(kind)],
                       static_cast<int64_t>(storage.nbytes()));
  storage.set_data_ptr_noswap({data, tagged, &TaggedMemory::Delete, device});
  if (on_tag_) on_tag_();
}

planner::MemoryByKind MemoryLedger::live() const {
  planner::MemoryByKind result = {};
  for (int kind = 0; kind < planner::kMemoryKinds; ++kind) {
    result[kind] = bytes_[kind].load(std::memory_order_relaxed);
  }
  return result;
}

}  // namespace mantissa::engine
