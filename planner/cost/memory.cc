#include "planner/cost/memory.h"

#include <algorithm>
#include <string>

#include "planner/graph/operators.h"

namespace mantissa::planner {
namespace {

constexpr int kNever = -1;

int64_t DTypeBytes(DType dtype) {
  switch (dtype) {
    case DType::kFloat64:
    case DType::kInt64:
      return 8;
    case DType::kFloat32:
    case DType::kInt32:
      return 4;
    case DType::kFloat16:
    case DType::kBFloat16:
      return 2;
    case DType::kUInt8:
    case DType::kBool:
      return 1;
  }
  return 1;
}

// Whether all of `tensors` have that format.
bool IsAll(const std::vector<kernels::Format>& formats, const std::vector<int>& tensors,
           const kernels::Format& format) {
  return std::all_of(tensors.begin(), tensors.end(),
                     [&](int tensor) { return formats[tensor] == format; });
}

void Subtract(const MemoryByKind& part, MemoryByKind& whole) {
  for (int kind = 0; kind < kMemoryKinds; ++kind) whole[kind] -= part[kind];
}

bool IsNative(const kernels::Format& format) {
  return format == kernels::kFp32 || format == kernels::kBf16 || format == kernels::kFp16;
}

}  // namespace

// Finds what lives from which task to which.
class MemoryModelBuilder {
 public:
  MemoryModelBuilder(const Graph& graph, const TensorTable& tensors, const Schedule& schedule,
                     int64_t batch_size, MemoryModel& model)
      : graph_(graph),
        tensors_(tensors),
        schedule_(schedule),
        batch_size_(batch_size),
        model_(model),
        last_point_(static_cast<int>(schedule.tasks.size())),
        forward_of_(graph.nodes().size(), kNever),
        backward_of_(graph.nodes().size(), kNever) {}

  void Build() {
    for (int task = 0; task < last_point_; ++task) {
      const Task& t = schedule_.tasks[task];
      model_.points_.push_back({.kind = t.kind, .node = t.node});
      if (t.kind == Task::Kind::kForward) forward_of_[t.node] = task;
      if (t.kind == Task::Kind::kBackward) backward_of_[t.node] = task;
    }
    model_.points_.push_back({.kind = Task::Kind::kBackward, .node = kNoNode});
    FindTensorsOfNodes();
    AddLasting();
    AddActivations();
    AddKept();
    AddRoundedParameters();
    AddGradients();
    model_.workspaces_ =
        WorkspacesOf(graph_, tensors_, schedule_, batch_size_, model_.options_.tiles);
    AddUpdates();
  }

 private:
  using Span = MemoryModel::Span;

  int64_t ElementsOf(ValueId value) const {
    return Elements(graph_.value(value).shape, batch_size_);
  }

  void Add(Span span) { model_.spans_.push_back(span); }

  void FindTensorsOfNodes() {
    model_.tensors_of_node_.resize(graph_.nodes().size());
    for (NodeId node = 0; node < static_cast<NodeId>(graph_.nodes().size()); ++node) {
      std::vector<ValueId> values = TensorInputs(graph_, node);
      const std::vector<ValueId>& outputs = graph_.node(node).outputs;
      values.insert(values.end(), outputs.begin(), outputs.end());
      for (const ValueId value : values) {
        const int v = tensors_.FindProduced(value);
        if (v < 0) continue;
        model_.tensors_of_node_[node].push_back(v);
        model_.tensors_of_node_[node].push_back(
            tensors_.Find(TensorKind::kActivationGradient, tensors_.Resolve(value)));
      }
    }
  }

  // Masters, buffers, moments and the batch: all through the step.
  void AddLasting() {
    int64_t masters = 0, moments = 0, batch = 0;
    for (const ValueId parameter : graph_.parameters()) {
      const int64_t elements = ElementsOf(parameter);
      masters += elements * kernels::kFp32.bytes();
      moments += model_.options_.moments * MomentBytes(model_.options_.optimizer_state, elements);
    }
    for (const ValueId buffer : graph_.buffers()) {
      masters += ElementsOf(buffer) * DTypeBytes(graph_.value(buffer).dtype);
    }
    for (const ValueId input : graph_.inputs()) {
      batch += ElementsOf(input) * DTypeBytes(graph_.value(input).dtype);
    }
    if (graph_.target() != kNoValue) {
      batch += ElementsOf(graph_.target()) * DTypeBytes(graph_.value(graph_.target()).dtype);
    }
    Add({0, last_point_, MemoryKind::kMasters, -1, masters});
    if (schedule_.options.training) Add({0, last_point_, MemoryKind::kOptimizer, -1, moments});
    Add({0, last_point_, MemoryKind::kWorkspace, -1, batch});
  }

  // Whether a view has memory of its own: codes are stored in order, so moving dimensions copies.
  bool CopiesItsInput(NodeId node) const {
    const std::string& op = graph_.node(node).op;
    return op == "aten::permute" || op == "aten::transpose" || op == "aten::t";
  }

  // Values share the memory of what they show until the last of them dies.
  void AddActivations() {
    std::vector<int> span_of(graph_.values().size(), kNever);  // index of the span
    std::vector<int> holders(graph_.values().size(), 0);       // by storage
    std::vector<ValueId> storage(graph_.values().size(), kNoValue);
    const auto make = [&](ValueId value, int task) {
      if (graph_.value(value).kind == ValueKind::kSymbol) return;
      const NodeId node = graph_.value(value).producer;
      const bool shares =
          node != kNoNode && IsShapeOnly(graph_, graph_.node(node)) && !CopiesItsInput(node);
      if (shares) {
        const ValueId base = graph_.value(value).alias_of;
        storage[value] = storage[base];
        if (storage[value] != kNoValue) ++holders[storage[value]];
        return;
      }
      storage[value] = value;
      holders[value] = 1;
      span_of[value] = static_cast<int>(model_.spans_.size());
      Add(SpanOf(value, task));
    };
    for (const ValueId input : graph_.inputs()) make(input, 0);
    for (int task = 0; task < last_point_; ++task) {
      const Task& t = schedule_.tasks[task];
      if (t.kind != Task::Kind::kBackward) {
        for (const ValueId output : graph_.node(t.node).outputs) {
          if (output != kNoValue) make(output, task);
        }
      }
      for (const ValueId value : t.release_values) {
        const ValueId base = storage[value];
        if (base != kNoValue && --holders[base] == 0) model_.spans_[span_of[base]].last = task;
      }
    }
  }

  Span SpanOf(ValueId value, int task) const {
    Span span{task, task, MemoryKind::kActivations, tensors_.FindProduced(value),
              ElementsOf(value)};
    if (span.tensor < 0) span.size *= DTypeBytes(graph_.value(value).dtype);
    const NodeId node = graph_.value(value).producer;
    if (node != kNoNode && !IsShapeOnly(graph_, graph_.node(node))) span.made = Span::Made::kStored;
    // The engine shows the batch's own memory.
    span.free_in_fp32 = graph_.value(value).kind == ValueKind::kInput;
    return span;
  }

  void AddKept() {
    if (!schedule_.options.training) return;
    for (int task = 0; task < last_point_; ++task) {
      for (const NodeId node : schedule_.tasks[task].release_kept) {
        const int64_t bytes = KeptBytes(graph_, node, schedule_.rules[node], batch_size_);
        Add({forward_of_[node], task, MemoryKind::kActivations, -1, bytes});
      }
    }
  }

  void AddRoundedParameters() {
    std::vector<int> first(graph_.values().size(), 0);
    for (int task = 0; task < last_point_; ++task) {
      for (const ValueId parameter : schedule_.tasks[task].round_parameters) {
        first[parameter] = task;
      }
      for (const ValueId parameter : schedule_.tasks[task].release_parameters) {
        const int theta = tensors_.Find(TensorKind::kParameter, parameter);
        if (theta < 0) continue;
        // In fp32 it is the master.
        Add({.first = first[parameter],
             .last = task,
             .kind = MemoryKind::kWeights,
             .tensor = theta,
             .size = ElementsOf(parameter),
             .free_in_fp32 = true});
      }
    }
  }

  // The task up to which the gradient of a value is held, views of it as the value itself.
  int LastHolder(ValueId value) const {
    while (true) {
      const NodeId node = graph_.value(value).producer;
      if (node == kNoNode || backward_of_[node] == kNever) return kNever;
      if (!IsShapeOnly(graph_, graph_.node(node)) || CopiesItsInput(node)) {
        return backward_of_[node];
      }
      value = graph_.value(value).alias_of;
    }
  }

  void AddGradients() {
    std::vector<bool> seen(graph_.values().size(), false);
    for (int task = schedule_.forward_tasks; task < last_point_; ++task) {
      const Task& t = schedule_.tasks[task];
      if (t.kind != Task::Kind::kBackward) continue;
      const bool is_view = IsShapeOnly(graph_, graph_.node(t.node));
      if (is_view && !CopiesItsInput(t.node)) continue;
      if (schedule_.rules[t.node].kind == GradientKind::kAdd) {
        AddGradientsOfSum(t.node, task);
        continue;
      }
      for (const ValueId input : TensorInputs(graph_, t.node)) {
        if (!schedule_.needs_gradient[input]) continue;
        if (graph_.value(tensors_.Resolve(input)).kind == ValueKind::kParameter) {
          AddParameterGradient(tensors_.Resolve(input), task, seen);
        } else {
          AddGradient(input, task);
        }
      }
    }
  }

  void AddGradient(ValueId input, int task, NodeId when_packed = kNoNode) {
    const int dv = tensors_.Find(TensorKind::kActivationGradient, tensors_.Resolve(input));
    if (dv < 0) return;
    Add({.first = task,
         .last = std::max(task, LastHolder(input)),
         .kind = MemoryKind::kGradients,
         .tensor = dv,
         .size = ElementsOf(input),
         .node = when_packed,
         .made = Span::Made::kStored,
         .used_up = true});
  }

  // Stored as computed, the gradients of both inputs are the gradient of the sum, in its memory.
  void AddGradientsOfSum(NodeId node, int task) {
    int last = task;
    for (const ValueId input : TensorInputs(graph_, node)) {
      if (!schedule_.needs_gradient[input]) continue;
      AddGradient(input, task, node);
      last = std::max(last, LastHolder(input));
    }
    const ValueId sum = graph_.node(node).outputs[0];
    Add({.first = std::min(task + 1, last),
         .last = last,
         .kind = MemoryKind::kGradients,
         .tensor = tensors_.Find(TensorKind::kActivationGradient, sum),
         .size = ElementsOf(sum),
         .node = node,
         .as_computed = true});
  }

  void AddParameterGradient(ValueId parameter, int task, std::vector<bool>& seen) {
    if (seen[parameter]) return;
    seen[parameter] = true;
    const int dtheta = tensors_.Find(TensorKind::kParameterGradient, parameter);
    if (dtheta < 0) return;
    Add({.first = task,
         .last = last_point_,
         .kind = MemoryKind::kGradients,
         .tensor = dtheta,
         .size = ElementsOf(parameter),
         .made = Span::Made::kFinished});
  }

  // Each parameter's part of the update: its gradient unpacked, and what the optimizer computes
  // with.
  void AddUpdates() {
    if (!schedule_.options.training) return;
    const MemoryOptions& options = model_.options_;
    for (const ValueId parameter : graph_.parameters()) {
      const int dtheta = tensors_.Find(TensorKind::kParameterGradient, parameter);
      if (dtheta < 0) continue;
      const int64_t elements = ElementsOf(parameter);
      const int64_t chunk = std::min(elements, kMomentChunkElements);
      int64_t bytes = 0;
      if (!IsWideMoment(options.optimizer_state, elements)) {
        bytes += options.moments * chunk * kernels::kFp32.bytes();
        if (options.moments > 1) bytes += chunk * kernels::kFp32.bytes();
      } else if (options.moments > 1) {
        bytes += elements * kernels::kFp32.bytes();
      }
      model_.updates_.push_back({dtheta, elements, bytes});
    }
  }

  const Graph& graph_;
  const TensorTable& tensors_;
  const Schedule& schedule_;
  const int64_t batch_size_;
  MemoryModel& model_;
  const int last_point_;
  std::vector<int> forward_of_, backward_of_;  // by node: tasks
};

MemoryModel::MemoryModel(const Graph& graph, const TensorTable& tensors, const Schedule& schedule,
                         int64_t batch_size, const MemoryOptions& options)
    : options_(options), forward_tasks_(schedule.forward_tasks) {
  MemoryModelBuilder(graph, tensors, schedule, batch_size, *this).Build();
}

std::vector<bool> MemoryModel::StoredAsComputed(const std::vector<kernels::Format>& formats) const {
  std::vector<bool> as_computed(tensors_of_node_.size());
  for (size_t node = 0; node < tensors_of_node_.size(); ++node) {
    as_computed[node] = IsAll(formats, tensors_of_node_[node], options_.tiles.wide);
  }
  return as_computed;
}

int64_t MemoryModel::BytesOf(const Span& span, const std::vector<kernels::Format>& formats,
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

std::vector<MemoryModel::Lasting> MemoryModel::LastingBytes(
    const std::vector<kernels::Format>& formats, const std::vector<bool>& as_computed) const {
  std::vector<Lasting> lasting(points_.size() + 1);
  for (const Span& span : spans_) {
    const int64_t bytes = BytesOf(span, formats, as_computed);
    Lasting& first = lasting[span.first];
    first.by_kind.of(span.kind) += bytes;
    lasting[span.last + 1].by_kind.of(span.kind) -= bytes;
    if (span.made == Span::Made::kStored) first.stored.of(span.kind) += bytes;
    if (span.made == Span::Made::kFinished) first.finished.of(span.kind) += bytes;
    if (span.used_up && span.last > span.first) {
      lasting[span.last].used_up.of(span.kind) += bytes;
    }
  }
  lasting.pop_back();
  for (size_t i = 1; i < lasting.size(); ++i) {
    for (int kind = 0; kind < kMemoryKinds; ++kind) {
      lasting[i].by_kind[kind] += lasting[i - 1].by_kind[kind];
    }
  }
  return lasting;
}

MemoryByKind MemoryModel::MostAt(size_t point, const Lasting& lasting,
                                 const std::vector<kernels::Format>& formats,
                                 const std::vector<bool>& as_computed) const {
  const NodeId node = points_[point].node;
  if (node == kNoNode) return MostAtUpdate(lasting, formats);
  const Workspace& workspace = workspaces_[point];
  int64_t unpacked = 0;
  for (const Workspace::Unpacked& parameter : workspace.parameters) {
    if (formats[parameter.tensor] != options_.tiles.wide) unpacked += parameter.bytes;
  }
  MemoryByKind most = {};
  for (const Moment& moment : as_computed[node] ? workspace.as_computed : workspace.packed) {
    MemoryByKind bytes = lasting.by_kind;
    bytes.of(MemoryKind::kWorkspace) += moment.bytes + (moment.unpacked ? unpacked : 0);
    if (!moment.takes) Subtract(lasting.used_up, bytes);
    if (!moment.stored) Subtract(lasting.stored, bytes);
    if (!moment.finished) Subtract(lasting.finished, bytes);
    if (bytes.total() > most.total()) most = bytes;
  }
  return most;
}

// One parameter after the other: its gradient is unpacked and its codes dropped.
MemoryByKind MemoryModel::MostAtUpdate(const Lasting& lasting,
                                       const std::vector<kernels::Format>& formats) const {
  MemoryByKind now = lasting.by_kind, most = now;
  for (const Update& update : updates_) {
    const kernels::Format& format = formats[update.gradient];
    MemoryByKind bytes = now;
    bytes.of(MemoryKind::kWorkspace) += update.bytes;
    if (format != kernels::kFp32) {
      bytes.of(MemoryKind::kWorkspace) += update.elements * kernels::kFp32.bytes();
    }
    if (bytes.total() > most.total()) most = bytes;
    now.of(MemoryKind::kGradients) -= StoredBytes(format, update.elements);
  }
  return most;
}

MemoryForecast MemoryModel::Predict(const std::vector<kernels::Format>& formats) const {
  const std::vector<bool> as_computed = StoredAsComputed(formats);
  const std::vector<Lasting> lasting = LastingBytes(formats, as_computed);
  MemoryForecast forecast{.points = points_};
  for (size_t i = 0; i < points_.size(); ++i) {
    MemoryPoint& point = forecast.points[i];
    point.by_kind = MostAt(i, lasting[i], formats, as_computed);
    if (point.by_kind.total() > forecast.peak_bytes) {
      forecast.peak_bytes = point.by_kind.total();
      forecast.peak = static_cast<int>(i);
    }
  }
  for (const Span& span : spans_) {
    const bool is_saved =
        span.kind == MemoryKind::kActivations || span.kind == MemoryKind::kWeights;
    if (is_saved && span.first < forward_tasks_ && span.last >= forward_tasks_) {
      forecast.saved_for_backward_bytes += BytesOf(span, formats, as_computed);
    }
  }
  return forecast;
}

std::vector<int64_t> MemoryModel::TotalBytes(const std::vector<kernels::Format>& formats) const {
  const std::vector<bool> as_computed = StoredAsComputed(formats);
  const std::vector<Lasting> lasting = LastingBytes(formats, as_computed);
  std::vector<int64_t> total(lasting.size());
  for (size_t i = 0; i < total.size(); ++i) {
    total[i] = MostAt(i, lasting[i], formats, as_computed).total();
  }
  return total;
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
