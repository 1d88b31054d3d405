// client/cli/io.h
//
// What a command sees of the world around it: output, terminal, environment, files, time, Ctrl-C.
//
//   io.Out(table.Render());
//   if (io.OutIsTerminal()) ...
//
// Commands take it as an argument, so that tests run them in process.

#ifndef MANTISSA_CLIENT_CLI_IO_H_
#define MANTISSA_CLIENT_CLI_IO_H_

#include <optional>
#include <stop_token>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "base/clock.h"
#include "base/file.h"

namespace mantissa::cli {

struct TerminalSize {
  int columns = 80;
  int rows = 24;
};

class Io {
 public:
  virtual ~Io() = default;

  // Standard output and standard error, at once and unbuffered.
  virtual void Out(absl::string_view text) = 0;
  virtual void Err(absl::string_view text) = 0;
  // All of standard input.
  virtual absl::StatusOr<std::string> In() = 0;

  virtual bool OutIsTerminal() = 0;
  // As it is now: the window may change. Only where OutIsTerminal().
  virtual TerminalSize Size() = 0;

  virtual std::optional<std::string> Environment(const std::string& name) = 0;
  virtual FileSystem& files() = 0;
  virtual Clock& clock() = 0;
  // Requested by Ctrl-C.
  virtual std::stop_token stop() = 0;
};

}  // namespace mantissa::cli

#endif  // MANTISSA_CLIENT_CLI_IO_H_
