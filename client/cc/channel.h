// client/cc/channel.h
//
// Makes the gRPC channel that a Client talks over.

#ifndef MANTISSA_CLIENT_CC_CHANNEL_H_
#define MANTISSA_CLIENT_CC_CHANNEL_H_

#include <memory>

#include "absl/status/statusor.h"
#include "client/cc/client.h"
#include "grpcpp/channel.h"

namespace mantissa::client {

// Errors as Client::Connect's.
absl::StatusOr<std::shared_ptr<grpc::Channel>> MakeChannel(const ConnectOptions& options);

}  // namespace mantissa::client

#endif  // MANTISSA_CLIENT_CC_CHANNEL_H_
