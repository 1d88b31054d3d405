// tests/client/cli/fake_io.h
//
// An Io that keeps what is written, for running commands in process.
//
//   FakeIo io;
//   ExitCode code = RunApp({"list"}, io);
//   io.out();

#ifndef MANTISSA_TESTS_CLIENT_CLI_FAKE_IO_H_
#define MANTISSA_TESTS_CLIENT_CLI_FAKE_IO_H_

#include <map>
#include <optional>
#include <stop_token>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "base/clock.h"
#include "base/file.h"
#include "client/cli/io.h"

namespace mantissa::cli {

// Output may come from any thread; the rest is for the test's.
class FakeIo : public Io {
 public:
  std::map<std::string, std::string> environment;
  std::string input;
  // A terminal of this size; none: no terminal.
  std::optional<TerminalSize> terminal;
  std::stop_source stopping;

  std::string out() {
    absl::MutexLock lock(&mutex_);
    return out_;
  }
  std::string err() {
    absl::MutexLock lock(&mutex_);
    return err_;
  }
  void Clear() {
    absl::MutexLock lock(&mutex_);
    out_.clear();
    err_.clear();
  }

  void Out(absl::string_view text) override {
    absl::MutexLock lock(&mutex_);
    absl::StrAppend(&out_, text);
  }
  void Err(absl::string_view text) override {
    absl::MutexLock lock(&mutex_);
    absl::StrAppend(&err_, text);
  }
  absl::StatusOr<std::string> In() override { return input; }
  bool OutIsTerminal() override { return terminal.has_value(); }
  TerminalSize Size() override { return *terminal; }
  std::optional<std::string> Environment(const std::string& name) override {
    const auto found = environment.find(name);
    if (found == environment.end()) return std::nullopt;
    return found->second;
  }
  FileSystem& files() override { return RealFileSystem(); }
  Clock& clock() override { return RealClock(); }
  std::stop_token stop() override { return stopping.get_token(); }

 private:
  absl::Mutex mutex_;
  std::string out_ ABSL_GUARDED_BY(mutex_);
  std::string err_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace mantissa::cli

#endif  // MANTISSA_TESTS_CLIENT_CLI_FAKE_IO_H_
