// mantissad: the server. See settings.h for what can be set, app.h for what it is made of.

#include <signal.h>
#include <sys/stat.h>

#include <cstdlib>
#include <iostream>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "base/file.h"
#include "base/log.h"
#include "base/status.h"
#include "base/version.h"
#include "server/main/app.h"
#include "server/main/settings.h"

namespace mantissa::server {
namespace {

absl::StatusOr<std::string> LoadToken(const Config& config) {
  if (config.token_file.empty()) {
    const char* token = std::getenv("MANTISSA_TOKEN");
    return std::string(token == nullptr ? "" : token);
  }
  ASSIGN_OR_RETURN(const std::string text, RealFileSystem().Read(config.token_file, 1 << 16));
  const absl::string_view token = absl::StripAsciiWhitespace(text);
  if (!token.empty()) return std::string(token);
  return InvalidField("token-file", "empty", "a file with a token",
                      "Make one: openssl rand -hex 32.");
}

// Blocks the signals that stop the server, for all threads to come.
sigset_t BlockStopSignals() {
  sigset_t stop;
  sigemptyset(&stop);
  sigaddset(&stop, SIGTERM);
  sigaddset(&stop, SIGINT);
  sigprocmask(SIG_BLOCK, &stop, nullptr);
  signal(SIGPIPE, SIG_IGN);
  return stop;
}

absl::Status Serve(const std::vector<std::string>& args) {
  ASSIGN_OR_RETURN(const Config config,
                   LoadConfig(
                       args, [](const char* name) -> const char* { return std::getenv(name); },
                       RealFileSystem()));
  ASSIGN_OR_RETURN(const std::string token, LoadToken(config));
  // Workers inherit the environment; the clients' token is none of their business.
  unsetenv("MANTISSA_TOKEN");
  umask(0077);
  const sigset_t stop = BlockStopSignals();
  ASSIGN_OR_RETURN(const std::unique_ptr<App> app, App::Start(config, token));
  std::cout << "listening on " << app->listening_on() << "\nmetrics on " << app->metrics_on()
            << std::endl;
  int signal = 0;
  sigwait(&stop, &signal);
  LogInfo("stops on signal ", signal,
          config.stop_workers ? "; workers end too" : "; workers go on");
  app->Stop();
  return absl::OkStatus();
}

int Main(const std::vector<std::string>& args) {
  for (const std::string& arg : args) {
    if (arg == "--help" || arg == "-h") {
      std::cout << HelpText();
      return 0;
    }
    if (arg == "--version") {
      std::cout << "mantissad " << kVersion << "\n";
      return 0;
    }
  }
  const absl::Status status = Serve(args);
  if (status.ok()) return 0;
  std::cerr << "mantissad: " << status.message() << "\n";
  return absl::IsInvalidArgument(status) ? 2 : 1;
}

}  // namespace
}  // namespace mantissa::server

int main(int argc, char** argv) {
  return mantissa::server::Main(std::vector<std::string>(argv + 1, argv + argc));
}
