// client/cli/cmd_text.h
//
// `mantissa completion`, `mantissa man`.

#ifndef MANTISSA_CLIENT_CLI_CMD_TEXT_H_
#define MANTISSA_CLIENT_CLI_CMD_TEXT_H_

#include "absl/status/statusor.h"
#include "client/cli/exit_code.h"
#include "client/cli/invocation.h"

namespace mantissa::cli {

absl::StatusOr<ExitCode> RunCompletion(Invocation& run);
absl::StatusOr<ExitCode> RunMan(Invocation& run);

}  // namespace mantissa::cli

#endif  // MANTISSA_CLIENT_CLI_CMD_TEXT_H_
