#include "client/cli/cmd_text.h"

#include <string>

#include "base/status.h"
#include "client/cli/completion.h"
#include "client/cli/man.h"

namespace mantissa::cli {

absl::StatusOr<ExitCode> RunCompletion(Invocation& run) {
  ASSIGN_OR_RETURN(const std::string script, CompletionScript(run.commands(), run.Positional(0)));
  run.io().Out(script);
  return kSucceeded;
}

absl::StatusOr<ExitCode> RunMan(Invocation& run) {
  run.io().Out(ManPage(run.commands()));
  return kSucceeded;
}

}  // namespace mantissa::cli
