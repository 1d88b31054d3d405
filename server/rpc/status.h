// server/rpc/status.h
//
// absl::Status to gRPC's, with google.rpc details.
//
//   reactor->Finish(ToGrpcStatus(status));
//
// Field violations become google.rpc.BadRequest; payloads under a type.googleapis.com/ URL are
// copied; every error has an ErrorInfo with the code as its reason and the domain "mantissa".
#ifndef MANTISSA_SERVER_RPC_STATUS_H_
#define MANTISSA_SERVER_RPC_STATUS_H_

#include "absl/status/status.h"
#include "grpcpp/support/status.h"

namespace mantissa::rpc {

grpc::Status ToGrpcStatus(const absl::Status& status);

}  // namespace mantissa::rpc

#endif  // MANTISSA_SERVER_RPC_STATUS_H_
