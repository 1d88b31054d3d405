// client/cli/error_text.h
//
// Errors for people, and the exit code of each.
//
//   mantissa: training.learning_rate is nan; allowed a finite number above 0. Use 0.1 with SGD.

#ifndef MANTISSA_CLIENT_CLI_ERROR_TEXT_H_
#define MANTISSA_CLIENT_CLI_ERROR_TEXT_H_

#include <string>

#include "absl/status/status.h"
#include "client/cli/exit_code.h"

namespace mantissa::cli {

// REQUIRES: not OK.
ExitCode ExitCodeOf(const absl::Status& status);

// What happened, a line for each field that is wrong, and what helps; with a line feed at the end.
// Text of the server is made printable.
std::string RenderError(const absl::Status& status);

}  // namespace mantissa::cli

#endif  // MANTISSA_CLIENT_CLI_ERROR_TEXT_H_
