// client/cli/invocation.h
//
// One run of a command: what it was given, and the way to the server.
//
//   absl::StatusOr<ExitCode> RunGet(Invocation& run) {
//     ASSIGN_OR_RETURN(client::Client* client, run.Connect());
//     ...
//   }

#ifndef MANTISSA_CLIENT_CLI_INVOCATION_H_
#define MANTISSA_CLIENT_CLI_INVOCATION_H_

#include <memory>
#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "client/cc/client.h"
#include "client/cli/command.h"
#include "client/cli/io.h"
#include "client/cli/settings.h"
#include "google/protobuf/message.h"

namespace mantissa::cli {

class Invocation {
 public:
  // All must outlive it.
  Invocation(const Arguments& arguments, const Settings& settings,
             absl::Span<const Command> commands, Io& io)
      : arguments_(arguments), settings_(settings), commands_(commands), io_(io) {}

  const Arguments& arguments() const { return arguments_; }
  const Settings& settings() const { return settings_; }
  absl::Span<const Command> commands() const { return commands_; }
  Io& io() const { return io_; }

  // The positional at `index`; empty if it was left out.
  std::string Positional(size_t index) const;

  // A whole number from 0 that a flag without a field gives, or `otherwise`.
  absl::StatusOr<int64_t> Number(const std::string& flag, int64_t otherwise) const;

  // The connection, made at the first call.
  absl::StatusOr<client::Client*> Connect();

  // Sets the fields of `message`, of the command's type, from the flags that were given. A list
  // given as @FILE is read from that file. A model's name without its kind means a built-in one.
  absl::Status Fill(google::protobuf::Message* message) const;

  // Prints `message` as JSON, or what `table` returns.
  template <typename TableText>
  void Print(const google::protobuf::Message& message, TableText table) const {
    settings_.json ? PrintJson(message) : io_.Out(table());
  }
  void PrintJson(const google::protobuf::Message& message) const;

 private:
  const Arguments& arguments_;
  const Settings& settings_;
  const absl::Span<const Command> commands_;
  Io& io_;
  std::unique_ptr<client::Client> client_;
};

// "resnet18" -> "builtin:resnet18"; other names stay.
std::string FullModelName(const std::string& name);

}  // namespace mantissa::cli

#endif  // MANTISSA_CLIENT_CLI_INVOCATION_H_
