#include "client/cli/settings.h"

#include <utility>
#include <vector>

#include "absl/algorithm/container.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "base/file.h"
#include "base/status.h"

namespace mantissa::cli {
namespace {

using Values = std::map<std::string, std::string>;

constexpr int64_t kLargestFile = 1 << 20;

std::vector<std::string> Keys() {
  std::vector<std::string> keys;
  for (const Flag* flag : GlobalFlags()) {
    if (*flag->setting != '\0') keys.push_back(flag->setting);
  }
  return keys;
}

absl::StatusOr<Values> ReadSettings(Io& io) {
  const std::string path = SettingsPath(io);
  if (path.empty() || !io.files().Exists(path)) return Values();
  ASSIGN_OR_RETURN(const std::string text, io.files().Read(path, kLargestFile));
  auto values = ParseSettings(text);
  if (!values.ok()) return Annotate(values.status(), path);
  return values;
}

// Values of the flags of every command by long name, wherever they come from.
absl::StatusOr<Values> GatherValues(const Arguments& arguments, Io& io) {
  ASSIGN_OR_RETURN(const Values file, ReadSettings(io));
  Values values;
  for (const Flag* flag : GlobalFlags()) {
    const std::string name = LongName(*flag);
    const auto variable =
        *flag->environment == '\0' ? std::nullopt : io.Environment(flag->environment);
    const auto setting = file.find(flag->setting);
    if (arguments.Has(name)) {
      values[name] = arguments.Get(name);
    } else if (variable.has_value() && !variable->empty()) {
      values[name] = *variable;
    } else if (setting != file.end()) {
      values[name] = setting->second;
    }
  }
  return values;
}

absl::StatusOr<std::string> ReadToken(const Arguments& arguments, const Values& values, Io& io) {
  const auto token = io.Environment("MANTISSA_TOKEN");
  // A file named on the command line goes before the variable, the variable before other files.
  if (!arguments.Has("--token-file") && token.has_value()) return *token;
  const auto path = values.find("--token-file");
  if (path == values.end()) return "";
  ASSIGN_OR_RETURN(const std::string text, io.files().Read(path->second, kLargestFile));
  const std::vector<std::string> lines = absl::StrSplit(text, '\n');
  return std::string(absl::StripAsciiWhitespace(lines.front()));
}

absl::StatusOr<absl::Duration> ParseTimeout(const std::string& text) {
  absl::Duration timeout;
  if (!absl::ParseDuration(text, &timeout) || timeout <= absl::ZeroDuration()) {
    return absl::InvalidArgumentError(absl::StrCat(
        "--timeout is '", text, "'; allowed: a time above 0 with its unit, for instance 30s."));
  }
  return timeout;
}

absl::StatusOr<bool> ParseOutput(const std::string& text) {
  if (text != "json" && text != "table") {
    return absl::InvalidArgumentError(
        absl::StrCat("output is '", text, "'; allowed: table, json."));
  }
  return text == "json";
}

}  // namespace

std::string SettingsPath(Io& io) {
  const auto config = io.Environment("XDG_CONFIG_HOME");
  if (config.has_value() && !config->empty()) return JoinPath(*config, "mantissa", "config");
  const auto home = io.Environment("HOME");
  if (!home.has_value() || home->empty()) return "";
  return JoinPath(*home, ".config", "mantissa", "config");
}

absl::StatusOr<Values> ParseSettings(absl::string_view text) {
  const std::vector<std::string> keys = Keys();
  Values values;
  int number = 0;
  for (absl::string_view line : absl::StrSplit(text, '\n')) {
    ++number;
    line = absl::StripAsciiWhitespace(line);
    if (line.empty() || line[0] == '#') continue;
    const std::pair<absl::string_view, absl::string_view> parts =
        absl::StrSplit(line, absl::MaxSplits('=', 1));
    const std::string key(absl::StripAsciiWhitespace(parts.first));
    if (line.find('=') == absl::string_view::npos || !absl::c_linear_search(keys, key)) {
      return absl::InvalidArgumentError(absl::StrCat("line ", number, " is '", line,
                                                     "'; allowed: KEY = VALUE with a KEY of ",
                                                     absl::StrJoin(keys, ", "), "."));
    }
    values[key] = std::string(absl::StripAsciiWhitespace(parts.second));
  }
  return values;
}

absl::StatusOr<Settings> ResolveSettings(const Arguments& arguments, Io& io) {
  ASSIGN_OR_RETURN(const Values values, GatherValues(arguments, io));
  const auto get = [&](const char* name) {
    const auto found = values.find(name);
    return found == values.end() ? std::string() : found->second;
  };
  Settings settings;
  settings.connect.clock = &io.clock();
  settings.connect.stop = io.stop();
  settings.server_configured = !get("--server").empty();
  if (settings.server_configured) settings.connect.address = get("--server");
  ASSIGN_OR_RETURN(settings.connect.token, ReadToken(arguments, values, io));
  if (!get("--tls-ca").empty()) {
    ASSIGN_OR_RETURN(settings.connect.tls_roots, io.files().Read(get("--tls-ca"), kLargestFile));
  }
  if (!get("--timeout").empty()) {
    ASSIGN_OR_RETURN(settings.connect.call_timeout, ParseTimeout(get("--timeout")));
  }
  if (!get("--output").empty()) {
    ASSIGN_OR_RETURN(settings.json, ParseOutput(get("--output")));
  }
  return settings;
}

}  // namespace mantissa::cli
