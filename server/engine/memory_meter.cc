#include "server/engine/memory_meter.h"

#include <algorithm>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "absl/types/span.h"
#include "base/file.h"
#include "c10/core/CachingDeviceAllocator.h"
#include "server/engine/accounting_allocator.h"
#include "server/engine/memory_ledger.h"

namespace mantissa::engine {
namespace {

using planner::MemoryByKind;
using planner::MemoryKind;

// The kinds that make up `total`, what the ledger does not know as workspace.
MemoryByKind Explain(int64_t total, MemoryByKind known) {
  known.of(MemoryKind::kWorkspace) = total - known.total();
  return known;
}

// The beginning of a file of the kernel's, which have no size; empty if it is not there.
std::string ReadKernelFile(absl::string_view path) {
  const auto file = RealFileSystem().OpenForRead(path);
  if (!file.ok()) return "";
  std::string text(256, '\0');
  // What is shorter is an error, but is there.
  const absl::Status status = (*file)->ReadAt(0, absl::MakeSpan(text));
  if (!status.ok() && !absl::IsOutOfRange(status)) return "";
  return text.substr(0, text.find('\0'));
}

// What the container that this runs in has left; no limit: a great deal.
int64_t ContainerMemory() {
  constexpr std::pair<const char*, const char*> kFiles[] = {
      {"/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory.current"},
      {"/sys/fs/cgroup/memory/memory.limit_in_bytes",
       "/sys/fs/cgroup/memory/memory.usage_in_bytes"}};
  int64_t left = std::numeric_limits<int64_t>::max();
  for (const auto& [limit_file, usage_file] : kFiles) {
    int64_t limit = 0, usage = 0;
    if (absl::SimpleAtoi(ReadKernelFile(limit_file), &limit) &&
        absl::SimpleAtoi(ReadKernelFile(usage_file), &usage)) {
      left = std::min(left, std::max<int64_t>(limit - usage, 0));
    }
  }
  return left;
}

// Of the machine as Linux estimates it, and of the container.
int64_t AvailableMemory() {
  for (absl::string_view line : absl::StrSplit(ReadKernelFile("/proc/meminfo"), '\n')) {
    const std::vector<absl::string_view> words = absl::StrSplit(line, ' ', absl::SkipEmpty());
    int64_t kib = 0;
    if (words.size() == 3 && words[0] == "MemAvailable:" && absl::SimpleAtoi(words[1], &kib)) {
      return std::min(kib * 1024, ContainerMemory());
    }
  }
  return 0;
}

class CpuMeter : public MemoryMeter {
 public:
  CpuMeter() {
    allocator_.set_on_peak([this](int64_t bytes) {
      absl::MutexLock lock(&mutex_);
      peak_ = Explain(bytes, ledger_.live());
    });
    ledger_.set_on_tag([this] { allocator_.ExplainPeak(); });
    allocator_.ResetPeak();
  }
  ~CpuMeter() override {
    ledger_.set_on_tag({});
    allocator_.set_on_peak({});
  }

  void ResetPeak() override { allocator_.ResetPeak(); }
  MemoryByKind Peak() override {
    absl::MutexLock lock(&mutex_);
    return peak_;
  }
  MemoryByKind Live() override { return Explain(allocator_.live_bytes(), ledger_.live()); }
  int64_t FreeBytes() override { return AvailableMemory(); }

 private:
  AccountingAllocator& allocator_ = AccountingAllocator::Install();
  MemoryLedger& ledger_ = MemoryLedger::Process();
  absl::Mutex mutex_;
  MemoryByKind peak_ ABSL_GUARDED_BY(mutex_) = {};
};

class DeviceMeter : public MemoryMeter {
 public:
  explicit DeviceMeter(at::Device device)
      : allocator_(*c10::getDeviceAllocator(device.type())),
        index_(device.has_index() ? device.index() : c10::DeviceIndex{0}) {}

  void ResetPeak() override {
    if (allocator_.initialized()) allocator_.resetPeakStats(index_);
  }
  MemoryByKind Peak() override { return Explain(Bytes().peak, ledger_.live()); }
  MemoryByKind Live() override { return Explain(Bytes().current, ledger_.live()); }
  int64_t FreeBytes() override {
    return static_cast<int64_t>(allocator_.getMemoryInfo(index_).first);
  }

 private:
  c10::CachingAllocator::Stat Bytes() const {
    // It has no statistics before the first tensor of the process.
    if (!allocator_.initialized()) return {};
    constexpr auto kAll = static_cast<size_t>(c10::CachingAllocator::StatType::AGGREGATE);
    return allocator_.getDeviceStats(index_).allocated_bytes[kAll];
  }

  c10::DeviceAllocator& allocator_;
  const c10::DeviceIndex index_;
  MemoryLedger& ledger_ = MemoryLedger::Process();
};

}  // namespace

std::unique_ptr<MemoryMeter> MemoryMeter::Create(at::Device device) {
  if (device.is_cpu()) return std::make_unique<CpuMeter>();
  return std::make_unique<DeviceMeter>(device);
}

}  // namespace mantissa::engine
