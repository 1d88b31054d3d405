#include "server/engine/memory_meter.h"

#include <string>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
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

// The machine's, as Linux estimates it: 0 if it does not.
int64_t AvailableMemory() {
  const auto file = RealFileSystem().OpenForRead("/proc/meminfo");
  // It has no size to go by, but is always longer than its first lines, of which this is the third.
  std::string text(128, '\0');
  if (!file.ok() || !(*file)->ReadAt(0, absl::MakeSpan(text)).ok()) return 0;
  for (absl::string_view line : absl::StrSplit(text, '\n')) {
    const std::vector<absl::string_view> words = absl::StrSplit(line, ' ', absl::SkipEmpty());
    int64_t kib = 0;
    if (words.size() == 3 && words[0] == "MemAvailable:" && absl::SimpleAtoi(words[1], &kib)) {
      return kib * 1024;
    }
  }
  return 0;
}

class CpuMeter : public MemoryMeter {
 public:
  CpuMeter() {
    allocator_.set_on_peak([this] { at_peak_ = ledger_.live(); });
    ledger_.set_on_tag([this] { allocator_.ExplainPeak(); });
    allocator_.ResetPeak();
  }
  ~CpuMeter() override {
    ledger_.set_on_tag({});
    allocator_.set_on_peak({});
  }

  void ResetPeak() override { allocator_.ResetPeak(); }
  MemoryByKind Peak() override { return Explain(allocator_.peak_bytes(), at_peak_); }
  MemoryByKind Live() override { return Explain(allocator_.live_bytes(), ledger_.live()); }
  int64_t FreeBytes() override { return AvailableMemory(); }

 private:
  AccountingAllocator& allocator_ = AccountingAllocator::Install();
  MemoryLedger& ledger_ = MemoryLedger::Process();
  MemoryByKind at_peak_ = {};
};

class DeviceMeter : public MemoryMeter {
 public:
  explicit DeviceMeter(at::Device device)
      : allocator_(*c10::getDeviceAllocator(device.type())),
        index_(device.has_index() ? device.index() : c10::DeviceIndex{0}) {}

  void ResetPeak() override { allocator_.resetPeakStats(index_); }
  MemoryByKind Peak() override { return Explain(Bytes().peak, ledger_.live()); }
  MemoryByKind Live() override { return Explain(Bytes().current, ledger_.live()); }
  int64_t FreeBytes() override {
    return static_cast<int64_t>(allocator_.getMemoryInfo(index_).first);
  }

 private:
  c10::CachingAllocator::Stat Bytes() const {
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
