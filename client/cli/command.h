// client/cli/command.h
//
// A command is a row too: what it takes, what it prints, examples. See commands.h for the table.

#ifndef MANTISSA_CLIENT_CLI_COMMAND_H_
#define MANTISSA_CLIENT_CLI_COMMAND_H_

#include <map>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "client/cli/exit_code.h"
#include "client/cli/flag.h"
#include "client/cli/flags.h"
#include "google/protobuf/descriptor.h"

namespace mantissa::cli {

class Invocation;

struct Positional {
  // "JOB".
  const char* name;
  const char* help;
  // The last ones may be optional.
  bool optional = false;
  // Words to complete, "bash|zsh|fish"; "FILE" for files.
  const char* choices = "";
};

struct Example {
  const char* line;
  // What it does, a phrase.
  const char* what;
};

struct Command {
  // "plan", "dataset push".
  std::string name;
  // One line that ends without a full stop.
  const char* summary;
  // Sentences; paragraphs are set apart by an empty line. May be empty.
  const char* description = "";
  std::vector<Positional> positionals;
  // Without those of every command.
  FlagList flags;
  // The message whose fields the flags set; null if none do.
  const google::protobuf::Descriptor* message = nullptr;
  // What -o json prints.
  const char* json;
  std::vector<Example> examples;
  absl::StatusOr<ExitCode> (*run)(Invocation&);
};

// What was given on a command line.
struct Arguments {
  // Null if only a group ("dataset") or nothing was named.
  const Command* command = nullptr;
  // The group, where no command was named.
  std::string group;
  // Values by long name, in the order given; switches that are on have one.
  std::map<std::string, std::vector<std::string>> flags;
  std::vector<std::string> positionals;

  bool Has(const std::string& name) const { return flags.count(name) > 0; }
  // The last value given, or `otherwise`.
  std::string Get(const std::string& name, const std::string& otherwise = "") const {
    const auto found = flags.find(name);
    return found == flags.end() ? otherwise : found->second.back();
  }
};

// What goes before the commands "dataset push", ...: "dataset", and its line of help.
struct Group {
  const char* name;
  const char* summary;
};
inline constexpr Group kGroups[] = {
    {"server", "The server itself"},
    {"model", "Models that can be trained"},
    {"dataset", "Data sets to train on"},
};

}  // namespace mantissa::cli

#endif  // MANTISSA_CLIENT_CLI_COMMAND_H_
