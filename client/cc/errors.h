// client/cc/errors.h
//
// What an error from the server says beyond its code and text, and what kind of trouble it is.
//
//   absl::StatusOr<v1::Job> job = client.SubmitJob(request);
//   if (!job.ok()) {
//     for (const auto& violation : DetailsOf(job.status()).violations) ...
//   }
//
// The details are the standard google.rpc messages. They travel as payloads of the Status, named
// by their type URL.

#ifndef MANTISSA_CLIENT_CC_ERRORS_H_
#define MANTISSA_CLIENT_CC_ERRORS_H_

#include <string>
#include <vector>

#include "absl/status/status.h"

namespace mantissa::client {

struct ErrorDetails {
  // A field of the request, or a condition that does not hold, and what is wrong with it.
  struct Violation {
    std::string subject;
    std::string description;
  };
  std::vector<Violation> violations;
  // google.rpc.ErrorInfo.reason, for instance "QUEUE_FULL"; empty if not told.
  std::string reason;
  // google.rpc.ResourceInfo: "dataset" and "digits", for instance; empty if not told.
  std::string resource_type, resource_name;
  // What helps, in the server's words: google.rpc.Help and LocalizedMessage.
  std::vector<std::string> remedies;
};

// Details of a call's error; empty where there are none. Reads untrusted bytes: what cannot be
// decoded is left out.
ErrorDetails DetailsOf(const absl::Status& status);

// Whether `status` is what a server answered or what became of a call, and not a fault on this
// side, such as a file that cannot be read.
bool IsFromCall(const absl::Status& status);

// `status` marked so that IsFromCall() holds: for what this side finds out in a server's place.
absl::Status AsFromCall(absl::Status status);

// Whether the server could not be reached or did not answer in time.
bool IsUnreachable(const absl::Status& status);

}  // namespace mantissa::client

#endif  // MANTISSA_CLIENT_CC_ERRORS_H_
