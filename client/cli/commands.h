// client/cli/commands.h
//
// The table of commands.
//
//   for (const Command& command : Commands()) ...

#ifndef MANTISSA_CLIENT_CLI_COMMANDS_H_
#define MANTISSA_CLIENT_CLI_COMMANDS_H_

#include "absl/types/span.h"
#include "client/cli/command.h"

namespace mantissa::cli {

// In the order of help.
absl::Span<const Command> Commands();

}  // namespace mantissa::cli

#endif  // MANTISSA_CLIENT_CLI_COMMANDS_H_
