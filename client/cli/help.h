// client/cli/help.h
//
// `mantissa --help` and `mantissa COMMAND --help`, from the tables.

#ifndef MANTISSA_CLIENT_CLI_HELP_H_
#define MANTISSA_CLIENT_CLI_HELP_H_

#include <string>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "client/cli/command.h"

namespace mantissa::cli {

// "mantissa dataset push NAME PATH [flags]".
std::string UsageLine(const Command& command);

// "Epochs to train. Default: 200. Variable: X."
std::string FlagHelp(const Flag& flag);

// "-b, --batch-size N", or "    --lr X" without a short name.
std::string FlagTitle(const Flag& flag, const google::protobuf::Descriptor* message);

std::string CommandHelp(const Command& command);

// All commands, or those of a group.
std::string OverviewHelp(absl::Span<const Command> commands, absl::string_view group);

}  // namespace mantissa::cli

#endif  // MANTISSA_CLIENT_CLI_HELP_H_
