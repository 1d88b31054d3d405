#include "server/engine/worker_sandbox.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdint>
#include <functional>
#include <new>
#include <string>

#include "absl/status/statusor.h"
#include "base/file.h"
#include "base/temp_folder.h"
#include "gtest/gtest.h"

namespace mantissa::engine {
namespace {

// Exit code, or minus the signal, of a child that runs `body` and exits with what it returns.
int InChild(const std::function<int()>& body) {
  const pid_t pid = fork();
  if (pid == 0) _exit(body());
  int status = 0;
  waitpid(pid, &status, 0);
  return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
}

// A socket "s" that listens in `folder`, as a server's. Its path alone may be too long for one.
class Listener {
 public:
  explicit Listener(const std::string& folder) : fd_(socket(AF_UNIX, SOCK_STREAM, 0)) {
    EXPECT_EQ(chdir(folder.c_str()), 0);
    sockaddr_un address = {};
    address.sun_family = AF_UNIX;
    address.sun_path[0] = 's';
    EXPECT_EQ(bind(fd_, reinterpret_cast<sockaddr*>(&address), sizeof(address)), 0);
    EXPECT_EQ(listen(fd_, 10), 0);
  }
  ~Listener() { close(fd_); }

 private:
  int fd_;
};

class WorkerSandboxTest : public testing::Test {
 protected:
  WorkerSandboxTest() : listener_(folder_.path()) {
    chmod(folder_.path().c_str(), 0700);
    EXPECT_TRUE(RealFileSystem().MakeFolders(Work()).ok());
  }

  std::string Work() const { return JoinPath(folder_.path(), "work"); }

  // What `body` returns in the sandbox, 100 where that could not be entered.
  int Inside(const std::function<int()>& body) {
    return InChild([&] {
      if (chdir(Work().c_str()) != 0) return 101;
      const absl::StatusOr<int> server = EnterSandbox("unix:../s", ".");
      if (!server.ok() || *server < 0) return 100;
      return body();
    });
  }

  TempFolder folder_;
  const Listener listener_;
};

TEST_F(WorkerSandboxTest, WritesInItsFolderOverAConnectionThatIsThere) {
  EXPECT_EQ(Inside([] { return RealFileSystem().WriteAtomically("file", "x").ok() ? 0 : 1; }), 0);
  EXPECT_TRUE(RealFileSystem().Exists(JoinPath(Work(), "file")));
}

TEST_F(WorkerSandboxTest, RootBecomesAUserWhoSeesNobodysFiles) {
  if (geteuid() != 0) GTEST_SKIP() << "only root can become another";
  const std::string secret = JoinPath(folder_.path(), "secret");
  ASSERT_TRUE(RealFileSystem().WriteAtomically(secret, "x").ok());
  chmod(secret.c_str(), 0600);
  EXPECT_EQ(Inside([&] {
              if (geteuid() == 0 || getuid() == 0 || getegid() == 0) return 1;
              if (setuid(0) == 0) return 2;
              return RealFileSystem().Read(secret).ok() ? 3 : 0;
            }),
            0);
}

TEST_F(WorkerSandboxTest, HasNoNetworkWhereTheMachineAllowsThat) {
  const int listening = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t length = sizeof(address);
  ASSERT_EQ(bind(listening, reinterpret_cast<sockaddr*>(&address), length), 0);
  ASSERT_EQ(listen(listening, 1), 0);
  getsockname(listening, reinterpret_cast<sockaddr*>(&address), &length);
  const auto dial = [&] {
    const int fd = socket(AF_INET, SOCK_STREAM, 0);
    return connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof(address)) == 0 ? 1 : 0;
  };
  ASSERT_EQ(InChild(dial), 1);
  const bool may = InChild([] { return unshare(CLONE_NEWNET) == 0 ? 1 : 0; }) == 1;
  if (!may) GTEST_SKIP() << "this machine makes no namespaces";
  EXPECT_EQ(Inside(dial), 0);
  close(listening);
}

TEST_F(WorkerSandboxTest, AServerThatIsNotThereIsAnError) {
  EXPECT_FALSE(EnterSandbox("unix:/nonexistent/socket", ".").ok());
  EXPECT_FALSE(EnterSandbox("127.0.0.1:7070", ".").ok());
}

TEST(LimitResources, MemoryBeyondTheLimitIsNotGiven) {
  const auto take = [](size_t bytes) {
    try {
      // A call, not an expression that the compiler may leave out.
      ::operator delete(::operator new(bytes));
      return 0;
    } catch (const std::bad_alloc&) {
      return 1;
    }
  };
  EXPECT_EQ(InChild([&] {
              LimitResources({.memory_bytes = 64 << 20});
              if (take(32 << 20) != 0) return 10;
              if (take(96 << 20) != 1) return 11;
              LimitResources({.memory_bytes = 256 << 20});
              return take(96 << 20);
            }),
            0);
}

TEST(LimitResources, ProcessorTimeBeyondTheLimitEndsTheProcess) {
  EXPECT_EQ(InChild([] {
              LimitResources({.cpu_seconds = 1});
              volatile uint64_t count = 0;
              while (true) count = count + 1;
              return 0;
            }),
            -SIGXCPU);
}

}  // namespace
}  // namespace mantissa::engine
