// client/cc/rpc_status.h
//
// grpc::Status -> absl::Status, details and all.
//
//   return FromRpc(stub->GetJob(&context, request, &job), "127.0.0.1:7070");

#ifndef MANTISSA_CLIENT_CC_RPC_STATUS_H_
#define MANTISSA_CLIENT_CC_RPC_STATUS_H_

#include <string>

#include "absl/status/status.h"
#include "grpcpp/support/status.h"

namespace mantissa::client {

// `address` is named where the server was not reached.
absl::Status FromRpc(const grpc::Status& status, const std::string& address);

}  // namespace mantissa::client

#endif  // MANTISSA_CLIENT_CC_RPC_STATUS_H_
