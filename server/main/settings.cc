#include "server/main/settings.h"

#include <algorithm>
#include <map>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "base/status.h"
#include "server/main/setting_values.h"

namespace mantissa::server {
namespace {

Setting Text(std::string name, std::string value, std::string Config::*field, std::string help) {
  return {std::move(name), std::move(value), std::move(help),
          [field](absl::string_view text, Config& config) {
            config.*field = std::string(text);
            return absl::OkStatus();
          },
          [field](const Config& config) { return config.*field; }};
}

Setting Count(std::string name, int64_t Config::*field, int64_t low, int64_t high,
              std::string help) {
  return {std::move(name), "N", std::move(help),
          [=](absl::string_view text, Config& config) -> absl::Status {
            ASSIGN_OR_RETURN(config.*field, ParseInt(text, low, high));
            return absl::OkStatus();
          },
          [field](const Config& config) { return absl::StrCat(config.*field); }};
}

Setting Choice(std::string name, std::vector<std::string> choices, std::string Config::*field,
               std::string help) {
  const std::string value = absl::AsciiStrToUpper(name);
  return {
      std::move(name), value, std::move(help),
      [field, choices = std::move(choices)](absl::string_view text,
                                            Config& config) -> absl::Status {
        if (std::find(choices.begin(), choices.end(), text) == choices.end()) {
          return absl::InvalidArgumentError(absl::StrCat("allowed ", absl::StrJoin(choices, ", ")));
        }
        config.*field = std::string(text);
        return absl::OkStatus();
      },
      [field](const Config& config) { return config.*field; }};
}

Setting Bytes(std::string name, int64_t Config::*field, std::string help) {
  return {std::move(name), "BYTES", std::move(help),
          [field](absl::string_view text, Config& config) -> absl::Status {
            ASSIGN_OR_RETURN(config.*field, ParseBytes(text));
            return absl::OkStatus();
          },
          [field](const Config& config) { return FormatBytes(config.*field); }};
}

Setting Time(std::string name, absl::Duration Config::*field, std::string help) {
  return {std::move(name), "DURATION", std::move(help),
          [field](absl::string_view text, Config& config) -> absl::Status {
            ASSIGN_OR_RETURN(config.*field, ParseDuration(text));
            return absl::OkStatus();
          },
          [field](const Config& config) { return absl::FormatDuration(config.*field); }};
}

Setting Switch(std::string name, bool Config::*field, std::string help) {
  return {std::move(name), "", std::move(help),
          [field](absl::string_view text, Config& config) -> absl::Status {
            ASSIGN_OR_RETURN(config.*field, ParseBool(text));
            return absl::OkStatus();
          },
          [field](const Config& config) { return config.*field ? "true" : "false"; }};
}

std::vector<Setting> MakeSettings() {
  return {
      Text("data-dir", "DIR", &Config::data_dir,
           "Folder of all state: jobs, data sets, logs. Required. One server a folder."),
      Text("listen", "HOST:PORT", &Config::listen,
           "Where the API listens; port 0 takes a free one. Beyond loopback only with TLS and a "
           "token."),
      Text("metrics-listen", "HOST:PORT", &Config::metrics_listen,
           "Where /metrics listens, without a token; port 0 takes a free one."),
      Text("tls-cert", "FILE", &Config::tls_cert, "Certificate chain of the API, PEM."),
      Text("tls-key", "FILE", &Config::tls_key, "Private key of that certificate, PEM."),
      Text("token-file", "FILE", &Config::token_file,
           "File with the bearer token that clients must send. Without it $MANTISSA_TOKEN is "
           "taken; without both none is asked for."),
      Text("worker", "FILE", &Config::worker,
           "Program that trains. Default: mantissa-worker beside this program."),
      Count("max-running-jobs", &Config::max_running_jobs, 1, 1024, "Jobs that run at a time."),
      Count("max-queued-jobs", &Config::max_queued_jobs, 1, 1000000, "Jobs that may wait."),
      Count("worker-threads", &Config::worker_threads, 0, 1024,
            "Threads of a worker where its job does not say; 0 shares the cores among the jobs "
            "that may run."),
      Choice("device", {"auto", "cpu", "cuda"}, &Config::device,
             "What workers train on: auto, cpu or cuda. auto takes a GPU where there is one and "
             "$MANTISSA_LIBTORCH_CUDA names the folder of LibTorch's CUDA libraries."),
      Bytes("max-blob-bytes", &Config::max_blob_bytes, "Largest file that can be uploaded."),
      Bytes("reserve-disk-bytes", &Config::reserve_disk_bytes,
            "What uploads leave free on the data disk."),
      Time("unused-blob-keep", &Config::unused_blob_keep,
           "How long an uploaded file that no data set uses is kept."),
      Time("lost-worker-after", &Config::lost_worker_after,
           "A worker that says nothing for this long is killed and its job tried again."),
      Time("cancel-grace", &Config::cancel_grace,
           "How long a worker may take to heed a cancel before it is ended."),
      Time("retry-delay", &Config::retry_delay, "From a worker's death to the next attempt."),
      Time("inspect-timeout", &Config::inspect_timeout,
           "How long reading a new data set or model may take."),
      Switch("stop-workers", &Config::stop_workers,
             "On SIGTERM end the workers too; without it they go on and the next start takes them "
             "up. Jobs go on either way."),
  };
}

const Setting* Find(absl::string_view name) {
  const auto& settings = Settings();
  const auto it = std::find_if(settings.begin(), settings.end(),
                               [&](const Setting& s) { return s.name == name; });
  return it == settings.end() ? nullptr : &*it;
}

absl::Status Apply(const Setting& setting, absl::string_view text, absl::string_view source,
                   Config& config) {
  const absl::Status status = setting.set(text, config);
  if (status.ok()) return status;
  return absl::InvalidArgumentError(
      absl::StrCat(source, " is \"", text, "\"; ", status.message(), "."));
}

absl::Status Unknown(absl::string_view what, absl::string_view where) {
  return absl::InvalidArgumentError(absl::StrCat("There is no setting ", what, " (", where,
                                                 "). `mantissad --help` lists them all."));
}

using Values = std::map<std::string, std::string>;

// name -> value of `--name value`, `--name=value` and switches; `config` among them.
absl::StatusOr<Values> ParseFlags(const std::vector<std::string>& args) {
  Values values;
  for (size_t i = 0; i < args.size(); ++i) {
    absl::string_view flag = args[i];
    if (!absl::ConsumePrefix(&flag, "--")) return Unknown(args[i], "as an argument");
    const std::pair<absl::string_view, absl::string_view> parts =
        absl::StrSplit(flag, absl::MaxSplits('=', 1));
    const std::string name(parts.first);
    const Setting* setting = Find(name);
    if (setting == nullptr && name != "config") return Unknown(args[i], "as a flag");
    if (flag.size() > name.size()) {
      values[name] = std::string(parts.second);
    } else if (setting != nullptr && setting->value.empty()) {
      values[name] = "true";
    } else if (i + 1 < args.size()) {
      values[name] = args[++i];
    } else {
      return absl::InvalidArgumentError(absl::StrCat("--", name, " needs a value."));
    }
  }
  return values;
}

// Lines of `name = value`; `#` starts a comment line.
absl::Status ApplyFile(absl::string_view path, FileSystem& files, Config& config) {
  ASSIGN_OR_RETURN(const std::string text, files.Read(path, /*max_bytes=*/1 << 20));
  int number = 0;
  for (absl::string_view line : absl::StrSplit(text, '\n')) {
    ++number;
    line = absl::StripAsciiWhitespace(line);
    if (line.empty() || line[0] == '#') continue;
    const std::pair<absl::string_view, absl::string_view> parts =
        absl::StrSplit(line, absl::MaxSplits('=', 1));
    const absl::string_view name = absl::StripAsciiWhitespace(parts.first);
    const std::string where = absl::StrCat(path, ", line ", number);
    const Setting* setting = Find(name);
    if (setting == nullptr) return Unknown(name, where);
    if (!absl::StrContains(line, "=")) {
      return absl::InvalidArgumentError(absl::StrCat(where, ": write `", name, " = VALUE`."));
    }
    RETURN_IF_ERROR(Apply(*setting, absl::StripAsciiWhitespace(parts.second),
                          absl::StrCat(name, " (", where, ")"), config));
  }
  return absl::OkStatus();
}

}  // namespace

const std::vector<Setting>& Settings() {
  static const auto& settings = *new std::vector<Setting>(MakeSettings());
  return settings;
}

std::string EnvironmentName(const Setting& setting) {
  return absl::StrCat("MANTISSAD_",
                      absl::AsciiStrToUpper(absl::StrReplaceAll(setting.name, {{"-", "_"}})));
}

absl::StatusOr<Config> LoadConfig(const std::vector<std::string>& args,
                                  const std::function<const char*(const char*)>& getenv,
                                  FileSystem& files) {
  Config config;
  ASSIGN_OR_RETURN(const Values flags, ParseFlags(args));
  const auto file = flags.find("config");
  const char* file_by_environment = getenv("MANTISSAD_CONFIG");
  if (file != flags.end()) {
    RETURN_IF_ERROR(ApplyFile(file->second, files, config));
  } else if (file_by_environment != nullptr) {
    RETURN_IF_ERROR(ApplyFile(file_by_environment, files, config));
  }
  for (const Setting& setting : Settings()) {
    const std::string variable = EnvironmentName(setting);
    if (const char* text = getenv(variable.c_str())) {
      RETURN_IF_ERROR(Apply(setting, text, variable, config));
    }
    const auto flag = flags.find(setting.name);
    if (flag == flags.end()) continue;
    RETURN_IF_ERROR(Apply(setting, flag->second, absl::StrCat("--", setting.name), config));
  }
  return config;
}

std::string HelpText() {
  std::string text =
      "Hosts mixed-precision trainings: takes data sets and jobs, plans their precision, trains "
      "them.\n"
      "Usage: mantissad --data-dir DIR [--listen HOST:PORT] [--metrics-listen HOST:PORT] ...\n\n"
      "Example:\n  $ mantissad --data-dir /var/lib/mantissa --listen 127.0.0.1:7070\n\n"
      "Settings, each also NAME = VALUE in the file of --config and MANTISSAD_NAME in the\n"
      "environment; flags win over the environment, that over the file:\n";
  const Config defaults;
  for (const Setting& setting : Settings()) {
    const std::string shown = setting.get(defaults);
    absl::StrAppendFormat(&text, "  --%s %s\n      %s%s\n", setting.name, setting.value,
                          setting.help,
                          shown.empty() ? "" : absl::StrCat(" Default: ", shown, "."));
  }
  absl::StrAppend(&text, "  --config FILE\n      File with settings. Also $MANTISSAD_CONFIG.\n",
                  "  --version, --help\n");
  return text;
}

std::string SettingsMarkdown() {
  std::string text =
      "# mantissad\n\n"
      "`mantissad --data-dir DIR` serves. Each setting is a flag, a line `name = value` in the "
      "file of\n"
      "`--config FILE` (or `$MANTISSAD_CONFIG`), and a variable of the environment. Flags win over "
      "the\n"
      "environment, that over the file, that over the default. `$MANTISSA_TOKEN` holds the token "
      "where\n"
      "there is no `--token-file`.\n\n"
      "Once it serves it prints `listening on HOST:PORT` and `metrics on HOST:PORT`. SIGTERM and "
      "SIGINT\n"
      "stop it; workers go on and the next start takes them up, unless `--stop-workers`.\n\n"
      "Generated from `server/main/settings.cc`: `bazel run //server/main:print_settings`.\n\n"
      "| Flag | Environment | Default | Meaning |\n|---|---|---|---|\n";
  const Config defaults;
  for (const Setting& setting : Settings()) {
    absl::StrAppend(&text, "| `--", setting.name, setting.value.empty() ? "" : " ", setting.value,
                    "` | `", EnvironmentName(setting), "` | ", setting.get(defaults), " | ",
                    setting.help, " |\n");
  }
  return text;
}

}  // namespace mantissa::server
