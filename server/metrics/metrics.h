// server/metrics/metrics.h
//
// The values of the metrics in table.h.
//
//   Metrics metrics;
//   metrics.Add(Metric::kRpcHandled, {"mantissa.v1.JobService/GetJob", "OK"});
//   metrics.Set(Metric::kJobLoss, {"job-1"}, 0.25);
//   metrics.Remove(Metric::kJobLoss, {"job-1"});
//
// Label values come in the order of the table's labels. Thread-safe.
#ifndef MANTISSA_SERVER_METRICS_METRICS_H_
#define MANTISSA_SERVER_METRICS_METRICS_H_

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "server/metrics/table.h"

namespace prometheus {
class Registry;
}  // namespace prometheus

namespace mantissa::metrics {

class Metrics {
 public:
  Metrics();
  ~Metrics();

  void Add(Metric counter, const std::vector<std::string>& labels, double by = 1);
  void Set(Metric gauge, const std::vector<std::string>& labels, double value);
  void Observe(Metric histogram, const std::vector<std::string>& labels, double value);
  // Nothing happens if there is no such series.
  void Remove(Metric metric, const std::vector<std::string>& labels);

  const std::shared_ptr<prometheus::Registry>& registry() const { return registry_; }

 private:
  struct Families;

  const std::shared_ptr<prometheus::Registry> registry_;
  absl::Mutex mutex_;  // Remove must not race with Add of the same series
  const std::unique_ptr<Families> families_ ABSL_PT_GUARDED_BY(mutex_);
};

}  // namespace mantissa::metrics

#endif  // MANTISSA_SERVER_METRICS_METRICS_H_
