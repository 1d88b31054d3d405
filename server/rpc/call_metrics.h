// server/rpc/call_metrics.h
//
// Counts and times every call of a server, of whatever service, where gRPC calls us anyway.
//
//   builder.experimental().SetInterceptorCreators(CallMetricsCreators(metrics, clock));
//   CountDenied(metrics, "mantissa.v1.JobService/GetJob");  // refused before there was a call
#ifndef MANTISSA_SERVER_RPC_CALL_METRICS_H_
#define MANTISSA_SERVER_RPC_CALL_METRICS_H_

#include <memory>
#include <vector>

#include "absl/strings/string_view.h"
#include "base/clock.h"
#include "grpcpp/support/server_interceptor.h"
#include "server/metrics/metrics.h"

namespace mantissa::rpc {

std::vector<std::unique_ptr<grpc::experimental::ServerInterceptorFactoryInterface>>
CallMetricsCreators(metrics::Metrics& metrics, Clock& clock);

// `method` comes from the network: one that is not known counts as "other".
void CountDenied(metrics::Metrics& metrics, absl::string_view method);

}  // namespace mantissa::rpc

#endif  // MANTISSA_SERVER_RPC_CALL_METRICS_H_
