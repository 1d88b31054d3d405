// client/cli/version.h
//
// Version of the command.

#ifndef MANTISSA_CLIENT_CLI_VERSION_H_
#define MANTISSA_CLIENT_CLI_VERSION_H_

namespace mantissa::cli {

inline constexpr char kVersion[] = "0.1.0";

}  // namespace mantissa::cli

#endif  // MANTISSA_CLIENT_CLI_VERSION_H_
