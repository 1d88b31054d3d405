// client/cli/cmd_model.h
//
// `mantissa model push|list|describe|rm`; list and describe by the server, or, of the built-in
// models, in this program.

#ifndef MANTISSA_CLIENT_CLI_CMD_MODEL_H_
#define MANTISSA_CLIENT_CLI_CMD_MODEL_H_

#include "absl/status/statusor.h"
#include "client/cli/exit_code.h"
#include "client/cli/invocation.h"

namespace mantissa::cli {

absl::StatusOr<ExitCode> RunModelList(Invocation& run);
absl::StatusOr<ExitCode> RunModelDescribe(Invocation& run);
absl::StatusOr<ExitCode> RunModelPush(Invocation& run);
absl::StatusOr<ExitCode> RunModelRemove(Invocation& run);

}  // namespace mantissa::cli

#endif  // MANTISSA_CLIENT_CLI_CMD_MODEL_H_
