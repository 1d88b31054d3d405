// client/cli/cmd_memory.h
//
// `mantissa memory`.

#ifndef MANTISSA_CLIENT_CLI_CMD_MEMORY_H_
#define MANTISSA_CLIENT_CLI_CMD_MEMORY_H_

#include "absl/status/statusor.h"
#include "client/cli/exit_code.h"
#include "client/cli/invocation.h"

namespace mantissa::cli {

absl::StatusOr<ExitCode> RunMemory(Invocation& run);

}  // namespace mantissa::cli

#endif  // MANTISSA_CLIENT_CLI_CMD_MEMORY_H_
