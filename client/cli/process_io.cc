#include "client/cli/process_io.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <thread>

#include "client/cli/exit_code.h"

namespace mantissa::cli {
namespace {

void WriteAll(int descriptor, absl::string_view text) {
  while (!text.empty()) {
    const ssize_t written = write(descriptor, text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return;  // nobody reads any more: SIGPIPE or a full disk
    text.remove_prefix(static_cast<size_t>(written));
  }
}

sigset_t StopSignals() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGTERM);
  return signals;
}

class ProcessIo : public Io {
 public:
  ProcessIo() {
    const sigset_t signals = StopSignals();
    pthread_sigmask(SIG_BLOCK, &signals, nullptr);
    // Lives as long as the process: it may wait for a signal that never comes.
    std::thread([source = stop_source_, signals]() mutable {
      int signal = 0;
      sigwait(&signals, &signal);
      source.request_stop();
      sigwait(&signals, &signal);
      _exit(kDetached);
    }).detach();
  }

  void Out(absl::string_view text) override { WriteAll(STDOUT_FILENO, text); }
  void Err(absl::string_view text) override { WriteAll(STDERR_FILENO, text); }

  absl::StatusOr<std::string> In() override {
    std::string all;
    char buffer[4096];
    while (true) {
      const ssize_t size = read(STDIN_FILENO, buffer, sizeof(buffer));
      if (size == 0) return all;
      if (size < 0 && errno == EINTR) continue;
      if (size < 0) return absl::ErrnoToStatus(errno, "cannot read standard input");
      all.append(buffer, static_cast<size_t>(size));
    }
  }

  bool OutIsTerminal() override { return isatty(STDOUT_FILENO) == 1; }

  TerminalSize Size() override {
    winsize size = {};
    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0 || size.ws_row == 0) {
      return {};
    }
    return {size.ws_col, size.ws_row};
  }

  std::optional<std::string> Environment(const std::string& name) override {
    const char* value = std::getenv(name.c_str());
    if (value == nullptr) return std::nullopt;
    return value;
  }

  FileSystem& files() override { return RealFileSystem(); }
  Clock& clock() override { return RealClock(); }
  std::stop_token stop() override { return stop_source_.get_token(); }

 private:
  std::stop_source stop_source_;
};

}  // namespace

std::unique_ptr<Io> MakeProcessIo() { return std::make_unique<ProcessIo>(); }

}  // namespace mantissa::cli
