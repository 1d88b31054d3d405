// client/cli/completion.h
//
// Completion scripts, from the tables.
//
//   source <(mantissa completion bash)

#ifndef MANTISSA_CLIENT_CLI_COMPLETION_H_
#define MANTISSA_CLIENT_CLI_COMPLETION_H_

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "client/cli/command.h"

namespace mantissa::cli {

// `shell` is bash, zsh or fish; else InvalidArgument.
absl::StatusOr<std::string> CompletionScript(absl::Span<const Command> commands,
                                             absl::string_view shell);

}  // namespace mantissa::cli

#endif  // MANTISSA_CLIENT_CLI_COMPLETION_H_
