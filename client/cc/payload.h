// client/cc/payload.h
//
// Names of the payloads by which a call's Status carries what the server said.
//
//   status.SetPayload(absl::StrCat(kTypeUrlPrefix, "google.rpc.BadRequest"), bytes);

#ifndef MANTISSA_CLIENT_CC_PAYLOAD_H_
#define MANTISSA_CLIENT_CC_PAYLOAD_H_

namespace mantissa::client {

// Before the full name of a message: the type URL of a google.rpc detail.
inline constexpr char kTypeUrlPrefix[] = "type.googleapis.com/";
// Marks the Status of a call, whatever the server said.
inline constexpr char kCallPayload[] = "mantissa.client/call";

}  // namespace mantissa::client

#endif  // MANTISSA_CLIENT_CC_PAYLOAD_H_
