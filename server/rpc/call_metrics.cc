#include "server/rpc/call_metrics.h"

#include <string>

#include "absl/status/status.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/strip.h"
#include "google/protobuf/descriptor.h"

namespace mantissa::rpc {
namespace {

using grpc::experimental::InterceptionHookPoints;
using grpc::experimental::InterceptorBatchMethods;
using grpc::experimental::ServerRpcInfo;
using metrics::Metric;

std::string CodeLabel(grpc::StatusCode code) {
  return absl::StatusCodeToString(static_cast<absl::StatusCode>(code));
}

class CallMetrics : public grpc::experimental::Interceptor {
 public:
  CallMetrics(metrics::Metrics& metrics, Clock& clock, absl::string_view method)
      : metrics_(metrics),
        clock_(clock),
        method_(absl::StripPrefix(method, "/")),
        start_(clock.Monotonic()) {}

  // A call that ends without a status of ours was cancelled by the client or the network.
  ~CallMetrics() override {
    metrics_.Add(Metric::kRpcHandled, {method_, CodeLabel(code_)});
    metrics_.Observe(Metric::kRpcDuration, {method_, CodeLabel(code_)},
                     absl::ToDoubleSeconds(clock_.Monotonic() - start_));
  }

  void Intercept(InterceptorBatchMethods* methods) override {
    if (methods->QueryInterceptionHookPoint(InterceptionHookPoints::PRE_SEND_STATUS)) {
      code_ = methods->GetSendStatus().error_code();
    }
    methods->Proceed();
  }

 private:
  metrics::Metrics& metrics_;
  Clock& clock_;
  const std::string method_;
  const absl::Duration start_;
  grpc::StatusCode code_ = grpc::StatusCode::CANCELLED;
};

class Factory : public grpc::experimental::ServerInterceptorFactoryInterface {
 public:
  Factory(metrics::Metrics& metrics, Clock& clock) : metrics_(metrics), clock_(clock) {}

  grpc::experimental::Interceptor* CreateServerInterceptor(ServerRpcInfo* info) override {
    return new CallMetrics(metrics_, clock_, info->method());
  }

 private:
  metrics::Metrics& metrics_;
  Clock& clock_;
};

}  // namespace

std::vector<std::unique_ptr<grpc::experimental::ServerInterceptorFactoryInterface>>
CallMetricsCreators(metrics::Metrics& metrics, Clock& clock) {
  std::vector<std::unique_ptr<grpc::experimental::ServerInterceptorFactoryInterface>> creators;
  creators.push_back(std::make_unique<Factory>(metrics, clock));
  return creators;
}

void CountDenied(metrics::Metrics& metrics, absl::string_view method) {
  const std::string name = absl::StrReplaceAll(method, {{"/", "."}});
  const bool known =
      google::protobuf::DescriptorPool::generated_pool()->FindMethodByName(name) != nullptr;
  metrics.Add(Metric::kRpcHandled, {known ? std::string(method) : "other",
                                    CodeLabel(grpc::StatusCode::UNAUTHENTICATED)});
}

}  // namespace mantissa::rpc
