// client/cli/app.h
//
// The command `mantissa`, from its words to its exit code.
//
//   return RunApp({"plan", "--model", "resnet18"}, *MakeProcessIo());

#ifndef MANTISSA_CLIENT_CLI_APP_H_
#define MANTISSA_CLIENT_CLI_APP_H_

#include <string>
#include <vector>

#include "client/cli/exit_code.h"
#include "client/cli/io.h"

namespace mantissa::cli {

// `words` without the program's name.
ExitCode RunApp(const std::vector<std::string>& words, Io& io);

}  // namespace mantissa::cli

#endif  // MANTISSA_CLIENT_CLI_APP_H_
