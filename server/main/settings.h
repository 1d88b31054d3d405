// server/main/settings.h
//
// The one table of what can be set: it makes the flags, the names in the file and in the
// environment, --help and docs/mantissad.md.
//
//   ASSIGN_OR_RETURN(Config config, LoadConfig({"--data-dir", "/data"}, getenv, RealFileSystem()));
//
// A flag `--max-queued-jobs 10` is `max-queued-jobs = 10` in the file that --config names and
// MANTISSAD_MAX_QUEUED_JOBS=10 in the environment. Flags win over the environment, that over the
// file, that over the default.
#ifndef MANTISSA_SERVER_MAIN_SETTINGS_H_
#define MANTISSA_SERVER_MAIN_SETTINGS_H_

#include <functional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "base/file.h"
#include "server/main/config.h"

namespace mantissa::server {

struct Setting {
  std::string name;   // "max-queued-jobs"
  std::string value;  // what it takes: "N", "HOST:PORT", "DURATION"; empty: a switch
  std::string help;
  // INVALID_ARGUMENT if the text is no such value.
  std::function<absl::Status(absl::string_view text, Config& config)> set;
  // The value as it would be written.
  std::function<std::string(const Config& config)> get;
};

const std::vector<Setting>& Settings();

// "MANTISSAD_MAX_QUEUED_JOBS".
std::string EnvironmentName(const Setting& setting);

// From the arguments after the program's name. `getenv` gives nullptr for what is not set.
// INVALID_ARGUMENT names the setting, where it came from and what is allowed.
absl::StatusOr<Config> LoadConfig(const std::vector<std::string>& args,
                                  const std::function<const char*(const char*)>& getenv,
                                  FileSystem& files);

// The text of --help.
std::string HelpText();
// docs/mantissad.md.
std::string SettingsMarkdown();

}  // namespace mantissa::server

#endif  // MANTISSA_SERVER_MAIN_SETTINGS_H_
