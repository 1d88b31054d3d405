#include "server/metrics/metrics.h"

#include <type_traits>

#include "base/status.h"
#include "prometheus/counter.h"
#include "prometheus/gauge.h"
#include "prometheus/histogram.h"
#include "prometheus/registry.h"

namespace mantissa::metrics {

struct Metrics::Families {
  std::map<Metric, prometheus::Family<prometheus::Counter>*> counters;
  std::map<Metric, prometheus::Family<prometheus::Gauge>*> gauges;
  std::map<Metric, prometheus::Family<prometheus::Histogram>*> histograms;
};

namespace {

prometheus::Labels LabelsOf(Metric metric, const std::vector<std::string>& values) {
  const MetricRow& row = RowOf(metric);
  MANTISSA_CHECK(values.size() == row.labels.size(), row.name);
  prometheus::Labels labels;
  for (size_t i = 0; i < values.size(); ++i) labels.emplace(row.labels[i], values[i]);
  return labels;
}

template <typename Families>
void RemoveFrom(Families& families, Metric metric, const prometheus::Labels& labels) {
  const auto it = families.find(metric);
  if (it == families.end() || !it->second->Has(labels)) return;
  using Mapped = typename Families::mapped_type;
  if constexpr (std::is_same_v<Mapped, prometheus::Family<prometheus::Histogram>*>) {
    it->second->Remove(
        &it->second->Add(labels, prometheus::Histogram::BucketBoundaries(RowOf(metric).buckets)));
  } else {
    it->second->Remove(&it->second->Add(labels));
  }
}

}  // namespace

Metrics::Metrics()
    : registry_(std::make_shared<prometheus::Registry>()), families_(new Families()) {
  absl::MutexLock lock(&mutex_);
  for (const MetricRow& row : MetricTable()) {
    MANTISSA_CHECK(&row == &RowOf(row.metric), row.name);
    const auto fill = [&](auto&& builder) {
      return &builder.Name(row.name).Help(row.help).Register(*registry_);
    };
    switch (row.kind) {
      case Kind::kCounter:
        families_->counters[row.metric] = fill(prometheus::BuildCounter());
        if (row.labels.empty()) families_->counters[row.metric]->Add({});  // starts at 0
        break;
      case Kind::kGauge:
        families_->gauges[row.metric] = fill(prometheus::BuildGauge());
        break;
      case Kind::kHistogram:
        families_->histograms[row.metric] = fill(prometheus::BuildHistogram());
        break;
    }
  }
}

Metrics::~Metrics() = default;

void Metrics::Add(Metric counter, const std::vector<std::string>& labels, double by) {
  absl::MutexLock lock(&mutex_);
  families_->counters.at(counter)->Add(LabelsOf(counter, labels)).Increment(by);
}

void Metrics::Set(Metric gauge, const std::vector<std::string>& labels, double value) {
  absl::MutexLock lock(&mutex_);
  families_->gauges.at(gauge)->Add(LabelsOf(gauge, labels)).Set(value);
}

void Metrics::Observe(Metric histogram, const std::vector<std::string>& labels, double value) {
  absl::MutexLock lock(&mutex_);
  families_->histograms.at(histogram)
      ->Add(LabelsOf(histogram, labels),
            prometheus::Histogram::BucketBoundaries(RowOf(histogram).buckets))
      .Observe(value);
}

void Metrics::Remove(Metric metric, const std::vector<std::string>& values) {
  const prometheus::Labels labels = LabelsOf(metric, values);
  absl::MutexLock lock(&mutex_);
  RemoveFrom(families_->counters, metric, labels);
  RemoveFrom(families_->gauges, metric, labels);
  RemoveFrom(families_->histograms, metric, labels);
}

}  // namespace mantissa::metrics
