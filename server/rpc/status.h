// server/rpc/status.h
//
// absl::Status to gRPC's, with google.rpc details.
//
//   reactor->Finish(ToGrpcStatus(status));
//
// Field violations become google.rpc.BadRequest; payloads under a type.googleapis.com/ URL are
// copied; every error has an ErrorInfo with the code as its reason and the domain "mantissa".
#pragma once

#include "absl/status/status.h"
#include "grpcpp/support/status.h"

namespace mantissa::rpc {

grpc::Status ToGrpcStatus(const absl::Status& status);

}  // namespace mantissa::rpc
