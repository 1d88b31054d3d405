#include "client/cli/app.h"

#include "absl/strings/str_cat.h"
#include "base/status.h"
#include "base/version.h"
#include "client/cli/commands.h"
#include "client/cli/error_text.h"
#include "client/cli/help.h"
#include "client/cli/invocation.h"
#include "client/cli/parse.h"
#include "client/cli/settings.h"

namespace mantissa::cli {
namespace {

absl::StatusOr<ExitCode> Run(const std::vector<std::string>& words, Io& io) {
  ASSIGN_OR_RETURN(const Arguments arguments, Parse(Commands(), words));
  if (arguments.Has("--version")) {
    io.Out(absl::StrCat("mantissa ", kVersion, "\n"));
    return kSucceeded;
  }
  if (arguments.command == nullptr) {
    const std::string help = OverviewHelp(Commands(), arguments.group);
    const bool asked = arguments.Has("--help");
    asked ? io.Out(help) : io.Err(help);
    return asked ? kSucceeded : kUsage;
  }
  if (arguments.Has("--help")) {
    io.Out(CommandHelp(*arguments.command));
    return kSucceeded;
  }
  ASSIGN_OR_RETURN(const Settings settings, ResolveSettings(arguments, io));
  Invocation invocation(arguments, settings, Commands(), io);
  return arguments.command->run(invocation);
}

}  // namespace

ExitCode RunApp(const std::vector<std::string>& words, Io& io) {
  const absl::StatusOr<ExitCode> code = Run(words, io);
  if (code.ok()) return *code;
  const ExitCode failed = ExitCodeOf(code.status());
  io.Err(failed == kDetached ? "mantissa: interrupted\n" : RenderError(code.status()));
  return failed;
}

}  // namespace mantissa::cli
