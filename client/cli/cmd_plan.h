// client/cli/cmd_plan.h
//
// `mantissa plan`, `mantissa explain`: by the server, or in this program.

#ifndef MANTISSA_CLIENT_CLI_CMD_PLAN_H_
#define MANTISSA_CLIENT_CLI_CMD_PLAN_H_

#include "absl/status/statusor.h"
#include "client/cli/exit_code.h"
#include "client/cli/invocation.h"

namespace mantissa::cli {

absl::StatusOr<ExitCode> RunPlan(Invocation& run);
absl::StatusOr<ExitCode> RunExplain(Invocation& run);

}  // namespace mantissa::cli

#endif  // MANTISSA_CLIENT_CLI_CMD_PLAN_H_
