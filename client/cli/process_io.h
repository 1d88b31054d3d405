// client/cli/process_io.h
//
// The Io of a real process. Make it before any other thread: it takes over SIGINT and SIGTERM. The
// first asks the command to stop, the second ends the process.

#ifndef MANTISSA_CLIENT_CLI_PROCESS_IO_H_
#define MANTISSA_CLIENT_CLI_PROCESS_IO_H_

#include <memory>

#include "client/cli/io.h"

namespace mantissa::cli {

// Only once in a process.
std::unique_ptr<Io> MakeProcessIo();

}  // namespace mantissa::cli

#endif  // MANTISSA_CLIENT_CLI_PROCESS_IO_H_
