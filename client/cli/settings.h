// client/cli/settings.h
//
// How to reach the server and how to print: from flags, then the environment, then the settings
// file, then defaults.
//
//   # ~/.config/mantissa/config
//   server = gpu-box:7070
//   token_file = /home/me/.mantissa-token
//   tls_ca = /home/me/mantissa-ca.pem

#ifndef MANTISSA_CLIENT_CLI_SETTINGS_H_
#define MANTISSA_CLIENT_CLI_SETTINGS_H_

#include <map>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "client/cc/client.h"
#include "client/cli/command.h"
#include "client/cli/io.h"

namespace mantissa::cli {

struct Settings {
  client::ConnectOptions connect;
  // Whether somebody named a server: a flag, a variable, the file.
  bool server_configured = false;
  bool json = false;
};

// Where the settings file is: $XDG_CONFIG_HOME/mantissa/config, else ~/.config/mantissa/config;
// empty if there is neither variable.
std::string SettingsPath(Io& io);

// Lines of "key = value"; empty lines and those that start with # mean nothing. InvalidArgument
// names the line, and the keys there are.
absl::StatusOr<std::map<std::string, std::string>> ParseSettings(absl::string_view text);

// Reads what is needed: the file, the token, the certificates.
absl::StatusOr<Settings> ResolveSettings(const Arguments& arguments, Io& io);

}  // namespace mantissa::cli

#endif  // MANTISSA_CLIENT_CLI_SETTINGS_H_
