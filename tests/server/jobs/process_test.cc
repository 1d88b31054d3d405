#include "server/jobs/process.h"

#include <signal.h>
#include <unistd.h>

#include <cstdlib>
#include <optional>
#include <string>

#include "absl/strings/str_cat.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/temp_folder.h"
#include "gtest/gtest.h"
#include "server/jobs/proc_file.h"

namespace mantissa::jobs {
namespace {

class ProcessTest : public testing::Test {
 protected:
  Command Shell(const std::string& script) {
    return {.argv = {"/bin/sh", "-c", script},
            .environment = {"MANTISSA_TEST=value"},
            .work_dir = folder_.path(),
            .log_path = JoinPath(folder_.path(), "log")};
  }
  absl::StatusOr<ProcessId> Run(const std::string& script) {
    return Launch(Shell(script), [](const ProcessId&) { return absl::OkStatus(); });
  }
  static ProcessEnd Wait(const ProcessId& process) {
    for (int i = 0; i < 1000; ++i) {
      const std::optional<ProcessEnd> end = FindEnd(process);
      if (end.has_value()) return *end;
      RealClock().SleepFor(absl::Milliseconds(10));
    }
    ADD_FAILURE() << "it does not end";
    return {};
  }
  std::string Log() { return *RealFileSystem().Read(JoinPath(folder_.path(), "log")); }

  TempFolder folder_;
};

TEST_F(ProcessTest, AppendsItsOutputToTheLogInItsOwnFolder) {
  Wait(*Run("echo $MANTISSA_TEST"));
  Wait(*Run("pwd; echo error >&2"));
  EXPECT_EQ(Log(), absl::StrCat("value\n", folder_.path(), "\nerror\n"));
}

TEST_F(ProcessTest, TellsExitCodesFromSignals) {
  EXPECT_EQ(Wait(*Run("exit 3")).exit_code, 3);
  const ProcessEnd killed = Wait(*Run("kill -SEGV $$"));
  EXPECT_EQ(killed.signal, SIGSEGV);
  EXPECT_EQ(Describe(killed), "was killed by signal 11 (Segmentation fault)");
}

TEST_F(ProcessTest, ANamedProcessIsNotAnotherWithItsPid) {
  const ProcessId process = *Run("sleep 100");
  EXPECT_FALSE(FindEnd(process).has_value());
  ProcessId other = process;
  other.start_ticks -= 1;
  SignalGroup(other, SIGKILL);
  RealClock().SleepFor(absl::Milliseconds(50));
  EXPECT_FALSE(FindEnd(process).has_value());
  SignalGroup(process, SIGKILL);
  EXPECT_EQ(Wait(process).signal, SIGKILL);
}

TEST_F(ProcessTest, ASignalReachesTheWholeGroup) {
  const ProcessId process = *Run("sleep 100 & echo $!; wait");
  while (!RealFileSystem().Exists(JoinPath(folder_.path(), "log")) || Log().empty()) {
    RealClock().SleepFor(absl::Milliseconds(10));
  }
  const pid_t grandchild = std::stoi(Log());
  SignalGroup(process, SIGKILL);
  Wait(process);
  for (int i = 0; i < 500; ++i) {
    const auto stat = ReadProcFile(absl::StrCat("/proc/", grandchild, "/stat"));
    if (!stat.ok() || stat->find(") Z") != std::string::npos) return;
    RealClock().SleepFor(absl::Milliseconds(10));
  }
  FAIL() << "the grandchild lives";
}

TEST_F(ProcessTest, AProgramWhoseRecordFailsNeverRuns) {
  const absl::StatusOr<ProcessId> process =
      Launch(Shell("echo ran"), [](const ProcessId&) { return absl::DataLossError("disk"); });
  EXPECT_EQ(process.status().code(), absl::StatusCode::kDataLoss);
  RealClock().SleepFor(absl::Milliseconds(50));
  EXPECT_EQ(Log(), "");
}

TEST_F(ProcessTest, AProgramThatIsNotThereIsNamed) {
  Command command = Shell("");
  command.argv = {"/no/such/program"};
  const absl::Status status =
      Launch(command, [](const ProcessId&) { return absl::OkStatus(); }).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kNotFound);
  EXPECT_NE(status.message().find("/no/such/program"), std::string::npos);
}

TEST_F(ProcessTest, ItsOwnVariableTakesThePlaceOfAnInheritedOne) {
  setenv("MANTISSA_TEST", "inherited", /*overwrite=*/1);
  Command command = Shell("");
  command.argv = {"/usr/bin/env"};
  Wait(*Launch(command, [](const ProcessId&) { return absl::OkStatus(); }));
  unsetenv("MANTISSA_TEST");
  EXPECT_NE(Log().find("MANTISSA_TEST=value\n"), std::string::npos);
  EXPECT_EQ(Log().find("inherited"), std::string::npos);
}

TEST_F(ProcessTest, InheritsNoneOfOurFiles) {
  int fds[2];
  ASSERT_EQ(pipe(fds), 0);  // without close-on-exec
  Wait(*Run("ls /proc/self/fd | wc -l"));
  EXPECT_EQ(std::stoi(Log()), 4);  // 0, 1, 2 and the folder that ls reads
  close(fds[0]);
  close(fds[1]);
}

}  // namespace
}  // namespace mantissa::jobs
