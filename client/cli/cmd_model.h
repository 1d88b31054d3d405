// client/cli/cmd_model.h
//
// `mantissa model list`, `mantissa model describe`: by the server, or in this program.

#ifndef MANTISSA_CLIENT_CLI_CMD_MODEL_H_
#define MANTISSA_CLIENT_CLI_CMD_MODEL_H_

#include "absl/status/statusor.h"
#include "client/cli/exit_code.h"
#include "client/cli/invocation.h"

namespace mantissa::cli {

absl::StatusOr<ExitCode> RunModelList(Invocation& run);
absl::StatusOr<ExitCode> RunModelDescribe(Invocation& run);

}  // namespace mantissa::cli

#endif  // MANTISSA_CLIENT_CLI_CMD_MODEL_H_
