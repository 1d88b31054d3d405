#include "server/metrics/exporter.h"

#include <exception>
#include <utility>

#include "absl/strings/str_cat.h"
#include "prometheus/collectable.h"
#include "prometheus/exposer.h"
#include "prometheus/registry.h"

namespace mantissa::metrics {
namespace {

class RefreshedRegistry : public prometheus::Collectable {
 public:
  RefreshedRegistry(std::shared_ptr<prometheus::Registry> registry, std::function<void()> refresh)
      : registry_(std::move(registry)), refresh_(std::move(refresh)) {}

  std::vector<prometheus::MetricFamily> Collect() const override {
    refresh_();
    return registry_->Collect();
  }

 private:
  const std::shared_ptr<prometheus::Registry> registry_;
  const std::function<void()> refresh_;
};

}  // namespace

Exporter::Exporter() = default;
Exporter::~Exporter() = default;

absl::StatusOr<std::unique_ptr<Exporter>> Exporter::Start(const std::string& address,
                                                          Metrics& metrics,
                                                          std::function<void()> refresh) {
  std::unique_ptr<Exporter> exporter(new Exporter());
  exporter->source_ = std::make_shared<RefreshedRegistry>(metrics.registry(), std::move(refresh));
  try {
    exporter->exposer_ = std::make_unique<prometheus::Exposer>(address);
  } catch (const std::exception& error) {
    return absl::UnavailableError(absl::StrCat("Can't listen for metrics on ", address, ": ",
                                               error.what(),
                                               ". Use a free port, or 0 to take any."));
  }
  exporter->exposer_->RegisterCollectable(exporter->source_);
  return exporter;
}

int Exporter::port() const {
  const std::vector<int> ports = exposer_->GetListeningPorts();
  return ports.empty() ? 0 : ports.front();
}

}  // namespace mantissa::metrics
