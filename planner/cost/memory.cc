#include "planner/cost/memory.h"

#include <algorithm>

namespace mantissa::planner {
namespace {

// Whether all of `tensors` have that format.
bool IsAll(const std::vector<kernels::Format>& formats, const std::vector<int>& tensors,
           const kernels::Format& format) {
  return std::all_of(tensors.begin(), tensors.end(),
                     [&](int tensor) { return formats[tensor] == format; });
}

// A MemoryByKind that does not tell kinds apart.
struct Total {
  int64_t bytes = 0;
  int64_t& of(MemoryKind) { return bytes; }
  int64_t total() const { return bytes; }
  Total& operator+=(const Total& other) {
    bytes += other.bytes;
    return *this;
  }
  Total& operator-=(const Total& other) {
    bytes -= other.bytes;
    return *this;
  }
};

bool IsNative(const kernels::Format& format) {
  return format == kernels::kFp32 || format == kernels::kBf16 || format == kernels::kFp16;
}

}  // namespace

std::vector<bool> MemoryModel::StoredAsComputed(const std::vector<kernels::Format>& formats) const {
  std::vector<bool> as_computed(tensors_of_node_.size());
  for (size_t node = 0; node < tensors_of_node_.size(); ++node) {
    as_computed[node] = IsAll(formats, tensors_of_node_[node], options_.tiles.wide);
  }
  return as_computed;
}

int64_t MemoryModel::BytesOf(const MemorySpan& span, const std::vector<kernels::Format>& formats,
                             const std::vector<bool>& as_computed) const {
  if (span.node != kNoNode && as_computed[span.node] != span.as_computed) return 0;
  if (span.tensor < 0) return span.size;
  const kernels::Format& format = formats[span.tensor];
  if (span.free_in_fp32 && format == kernels::kFp32) return 0;
  return StoredBytes(format, span.size);
}

int64_t MemoryModel::StoredBytes(const kernels::Format& format, int64_t elements) const {
  const bool wide = !options_.packed && !IsNative(format);
  return elements * (wide ? kernels::kFp32.bytes() : format.bytes());
}

template <typename Bytes>
std::vector<MemoryModel::Lasting<Bytes>> MemoryModel::LastingBytes(
    const std::vector<kernels::Format>& formats, const std::vector<bool>& as_computed) const {
  std::vector<Lasting<Bytes>> lasting(points_.size() + 1);
  for (const MemorySpan& span : spans_) {
    const int64_t bytes = BytesOf(span, formats, as_computed);
    Lasting<Bytes>& first = lasting[span.first];
    first.by_kind.of(span.kind) += bytes;
    lasting[span.last + 1].by_kind.of(span.kind) -= bytes;
    if (span.made == MemorySpan::Made::kStored) first.stored.of(span.kind) += bytes;
    if (span.made == MemorySpan::Made::kFinished) first.finished.of(span.kind) += bytes;
    if (span.kind == MemoryKind::kWeights) first.rounded.of(span.kind) += bytes;
    if (span.used_up && span.last > span.first) {
      lasting[span.last].used_up.of(span.kind) += bytes;
    }
  }
  lasting.pop_back();
  for (size_t i = 1; i < lasting.size(); ++i) lasting[i].by_kind += lasting[i - 1].by_kind;
  return lasting;
}

template <typename Bytes>
Bytes MemoryModel::MostAt(size_t point, const Lasting<Bytes>& lasting,
                          const std::vector<kernels::Format>& formats,
                          const std::vector<bool>& as_computed) const {
  const NodeId node = points_[point].node;
  if (node == kNoNode) return MostAtUpdate(lasting, formats);
  const Workspace& workspace = workspaces_[point];
  int64_t unpacked = 0;
  for (const Workspace::Unpacked& parameter : workspace.parameters) {
    if (formats[parameter.tensor] != options_.tiles.wide) unpacked += parameter.bytes;
  }
  Bytes most = point == 0 ? AtStart(lasting, formats) : Bytes{};
  for (const Moment& moment : as_computed[node] ? workspace.as_computed : workspace.packed) {
    Bytes bytes = lasting.by_kind;
    bytes.of(MemoryKind::kWorkspace) += moment.bytes + (moment.unpacked ? unpacked : 0);
    if (!moment.takes) bytes -= lasting.used_up;
    if (!moment.stored) bytes -= lasting.stored;
    if (!moment.finished) bytes -= lasting.finished;
    if (bytes.total() > most.total()) most = bytes;
  }
  return most;
}

template <typename Bytes>
Bytes MemoryModel::AtStart(const Lasting<Bytes>& lasting,
                           const std::vector<kernels::Format>& formats) const {
  Bytes bytes = lasting.by_kind;
  bytes -= lasting.stored;
  bytes -= lasting.rounded;
  // In fp32 the samples are taken over.
  for (const Workspace::Unpacked& samples : samples_) {
    if (formats[samples.tensor] == kernels::kFp32) continue;
    bytes.of(MemoryKind::kWorkspace) += samples.bytes;
  }
  return bytes;
}

// One parameter after the other: its gradient is unpacked and its codes dropped. The norm, and sums
// of several batches, are made in the same way, before the update.
template <typename Bytes>
Bytes MemoryModel::MostAtUpdate(const Lasting<Bytes>& lasting,
                                const std::vector<kernels::Format>& formats) const {
  Bytes now = lasting.by_kind, most = now;
  const auto keep_most = [&](int64_t workspace) {
    Bytes bytes = now;
    bytes.of(MemoryKind::kWorkspace) += workspace;
    if (bytes.total() > most.total()) most = bytes;
  };
  const auto unpacked = [&](const Update& update) {
    const bool wide = formats[update.gradient] == kernels::kFp32;
    return wide ? 0 : update.elements * kernels::kFp32.bytes();
  };
  if (options_.clips && !options_.accumulates) {
    for (const Update& update : updates_) keep_most(unpacked(update));
  }
  for (const Update& update : updates_) {
    keep_most(unpacked(update) + (options_.accumulates ? 0 : update.bytes));
    now.of(MemoryKind::kGradients) -= StoredBytes(formats[update.gradient], update.elements);
  }
  if (options_.accumulates) {
    for (const Update& update : updates_) keep_most(update.bytes);
  }
  return most;
}

MemoryForecast MemoryModel::Predict(const std::vector<kernels::Format>& formats) const {
  const std::vector<bool> as_computed = StoredAsComputed(formats);
  const std::vector<Lasting<MemoryByKind>> lasting =
      LastingBytes<MemoryByKind>(formats, as_computed);
  MemoryForecast forecast{.points = points_};
  for (size_t i = 0; i < points_.size(); ++i) {
    MemoryPoint& point = forecast.points[i];
    point.by_kind = MostAt(i, lasting[i], formats, as_computed);
    if (point.by_kind.total() > forecast.peak_bytes) {
      forecast.peak_bytes = point.by_kind.total();
      forecast.peak = static_cast<int>(i);
    }
  }
  for (const MemorySpan& span : spans_) {
    if (span.kind == MemoryKind::kActivations && span.first < forward_tasks_ &&
        span.last >= forward_tasks_) {
      forecast.saved_for_backward_bytes += BytesOf(span, formats, as_computed);
    }
  }
  return forecast;
}

std::vector<int64_t> MemoryModel::TotalBytes(const std::vector<kernels::Format>& formats) const {
  const std::vector<bool> as_computed = StoredAsComputed(formats);
  const std::vector<Lasting<Total>> lasting = LastingBytes<Total>(formats, as_computed);
  std::vector<int64_t> total(lasting.size());
  for (size_t i = 0; i < total.size(); ++i) {
    total[i] = MostAt(i, lasting[i], formats, as_computed).total();
  }
  return total;
}

std::vector<int64_t> MemoryModel::StoredElements(
    size_t point, const std::vector<kernels::Format>& formats) const {
  const std::vector<bool> as_computed = StoredAsComputed(formats);
  const auto now = static_cast<int>(point);
  std::vector<int64_t> elements(formats.size(), 0);
  for (const MemorySpan& span : spans_) {
    if (span.tensor < 0 || now < span.first || now > span.last) continue;
    if (span.node != kNoNode && as_computed[span.node] != span.as_computed) continue;
    elements[span.tensor] += span.size;
  }
  return elements;
}

int64_t MemoryModel::PeakBytes(const std::vector<kernels::Format>& formats) const {
  const std::vector<int64_t> total = TotalBytes(formats);
  return *std::max_element(total.begin(), total.end());
}

MemoryForecast PredictMemory(const Graph& graph, const TensorTable& tensors,
                             const std::vector<kernels::Format>& formats, const Schedule& schedule,
                             int64_t batch_size, const MemoryOptions& options) {
  return MemoryModel(graph, tensors, schedule, batch_size, options).Predict(formats);
}

}  // namespace mantissa::planner
