// server/metrics/exporter.h
//
// Serves /metrics over HTTP.
//
//   ASSIGN_OR_RETURN(auto exporter, Exporter::Start("127.0.0.1:0", metrics, [&] {
//     metrics.Set(Metric::kQueueAge, {}, age);  // what is only worth knowing when asked
//   }));
//   LogInfo("metrics on port ", exporter->port());
#ifndef MANTISSA_SERVER_METRICS_EXPORTER_H_
#define MANTISSA_SERVER_METRICS_EXPORTER_H_

#include <functional>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "server/metrics/metrics.h"

namespace prometheus {
class Collectable;
class Exposer;
}  // namespace prometheus

namespace mantissa::metrics {

class Exporter {
 public:
  // `refresh` runs before each scrape, on the server's threads. UNAVAILABLE if the address can't be
  // listened on. `metrics` must outlive it.
  static absl::StatusOr<std::unique_ptr<Exporter>> Start(const std::string& address,
                                                         Metrics& metrics,
                                                         std::function<void()> refresh);
  ~Exporter();

  int port() const;

 private:
  Exporter();

  std::shared_ptr<prometheus::Collectable> source_;
  std::unique_ptr<prometheus::Exposer> exposer_;
};

}  // namespace mantissa::metrics

#endif  // MANTISSA_SERVER_METRICS_EXPORTER_H_
