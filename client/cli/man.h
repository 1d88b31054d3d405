// client/cli/man.h
//
// The manual page mantissa(1) in roff, from the tables. docs/mantissa.1 is its output.

#ifndef MANTISSA_CLIENT_CLI_MAN_H_
#define MANTISSA_CLIENT_CLI_MAN_H_

#include <string>

#include "absl/types/span.h"
#include "client/cli/command.h"

namespace mantissa::cli {

std::string ManPage(absl::Span<const Command> commands);

}  // namespace mantissa::cli

#endif  // MANTISSA_CLIENT_CLI_MAN_H_
