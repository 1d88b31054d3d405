// client/cli/json.h
//
// Messages as the stable JSON of `-o json`: proto JSON with two changes for programs: names are as
// in the .proto file (snake_case), and 64-bit integers are numbers.
//
//   JsonText(job)  // {"id": "job-1", "state": "JOB_STATE_RUNNING", ...} over several lines
//
// Fields stand in the order of their numbers. Numbers, strings, lists and maps are always there,
// also when empty; fields marked optional and messages only when they are set. Times are RFC 3339,
// durations "1.5s", bytes base64, NaN and infinities the strings "NaN", "Infinity", "-Infinity".

#ifndef MANTISSA_CLIENT_CLI_JSON_H_
#define MANTISSA_CLIENT_CLI_JSON_H_

#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "google/protobuf/message.h"

namespace mantissa::cli {

// Over several lines, with a line feed at the end.
std::string JsonText(const google::protobuf::Message& message);

// One line, with a line feed at the end.
std::string JsonLine(const google::protobuf::Message& message);

// Reads proto JSON (names in either form). InvalidArgument names what it does not know.
absl::Status ParseJson(absl::string_view text, google::protobuf::Message* message);

}  // namespace mantissa::cli

#endif  // MANTISSA_CLIENT_CLI_JSON_H_
