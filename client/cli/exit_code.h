// client/cli/exit_code.h
//
// What the process returns, so that scripts need not read the text.

#ifndef MANTISSA_CLIENT_CLI_EXIT_CODE_H_
#define MANTISSA_CLIENT_CLI_EXIT_CODE_H_

namespace mantissa::cli {

enum ExitCode {
  kSucceeded = 0,
  kJobFailed = 1,
  kUsage = 2,
  kNotReachable = 3,
  kRefused = 4,
  kJobCancelled = 5,
  kDetached = 130,
};

struct ExitCodeInfo {
  ExitCode code;
  const char* meaning;
};

// Each code once, ascending: for help and the manual page.
inline constexpr ExitCodeInfo kExitCodes[] = {
    {kSucceeded, "The command, and the job it waited for, succeeded."},
    {kJobFailed, "The job that it waited for failed."},
    {kUsage, "The command line, a settings file or a local file was not usable."},
    {kNotReachable, "The server was not reachable or did not answer in time."},
    {kRefused, "The server refused the request, or failed at it."},
    {kJobCancelled, "The job that it waited for was cancelled."},
    {kDetached, "Ctrl-C ended the command; a job that it waited for goes on."},
};

}  // namespace mantissa::cli

#endif  // MANTISSA_CLIENT_CLI_EXIT_CODE_H_
