#include "tests/server/main/daemon.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/status.h"
#include "grpcpp/create_channel.h"
#include "gtest/gtest.h"

namespace mantissa {
namespace {

constexpr char kMantissad[] = "server/main/mantissad";
constexpr char kWorker[] = "tests/server/main/fake_worker";

std::string Absolute(const std::string& path) {
  char here[4096];
  MANTISSA_CHECK(getcwd(here, sizeof(here)) != nullptr);
  return JoinPath(here, path);
}

}  // namespace

// Not in TEST_TMPDIR: a Unix socket's path has at most 107 bytes.
Daemon::Daemon() : folder_("/tmp/mantissad_XXXXXX") {
  MANTISSA_CHECK(mkdtemp(folder_.data()) != nullptr);
}

Daemon::~Daemon() {
  Kill();
  for (const pid_t pid : WorkerPids()) {
    kill(-pid, SIGKILL);
    kill(pid, SIGKILL);
  }
  RealFileSystem().RemoveTree(folder_).IgnoreError();
}

bool Daemon::Start(std::vector<std::string> flags) {
  std::vector<std::string> args = {Absolute(kMantissad),
                                   absl::StrCat("--data-dir=", folder_),
                                   "--listen=127.0.0.1:0",
                                   "--metrics-listen=127.0.0.1:0",
                                   absl::StrCat("--worker=", Absolute(kWorker)),
                                   "--retry-delay=50ms",
                                   "--cancel-grace=500ms",
                                   "--reserve-disk-bytes=1MiB"};
  args.insert(args.end(), flags.begin(), flags.end());
  std::vector<char*> argv;
  for (std::string& arg : args) argv.push_back(arg.data());
  argv.push_back(nullptr);
  int out[2];
  MANTISSA_CHECK(pipe2(out, O_CLOEXEC) == 0);
  const std::string log = JoinPath(folder_, "mantissad.log");
  const int log_fd = open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  pid_ = fork();
  if (pid_ == 0) {
    dup2(out[1], 1);
    dup2(log_fd, 2);
    execv(argv[0], argv.data());
    _exit(127);
  }
  close(out[1]);
  close(log_fd);
  ReadOutput(out[0]);
  close(out[0]);
  if (metrics_port_ > 0) {
    jobs_ = v1::JobService::NewStub(NewChannel());
    datasets_ = v1::DatasetService::NewStub(NewChannel());
    return true;
  }
  waitpid(pid_, nullptr, 0);
  pid_ = 0;
  error_ = RealFileSystem().Read(log).value_or("");
  return false;
}

void Daemon::ReadOutput(int fd) {
  address_.clear();
  metrics_port_ = 0;
  std::string text;
  char c;
  while (metrics_port_ == 0 && read(fd, &c, 1) == 1) {
    text += c;
    if (c != '\n') continue;
    absl::string_view line = absl::StripSuffix(text, "\n");
    if (absl::ConsumePrefix(&line, "listening on ")) address_ = std::string(line);
    if (absl::ConsumePrefix(&line, "metrics on 127.0.0.1:")) {
      MANTISSA_CHECK(absl::SimpleAtoi(line, &metrics_port_));
    }
    text.clear();
  }
}

void Daemon::Kill() {
  if (pid_ == 0) return;
  kill(pid_, SIGKILL);
  waitpid(pid_, nullptr, 0);
  pid_ = 0;
}

int Daemon::Stop(int signal) {
  int status = 0;
  kill(pid_, signal);
  waitpid(pid_, &status, 0);
  pid_ = 0;
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

std::shared_ptr<grpc::Channel> Daemon::NewChannel() const {
  return grpc::CreateChannel(address_, grpc::InsecureChannelCredentials());
}

grpc::Status Daemon::Upload(const std::string& content, int64_t offset, const std::string& bytes,
                            v1::UploadBlobResponse* response) {
  grpc::ClientContext context;
  const auto writer = datasets().UploadBlob(&context, response);
  v1::UploadBlobRequest request;
  request.mutable_header()->set_sha256(Sha256Hex(content));
  request.mutable_header()->set_size_bytes(content.size());
  request.mutable_header()->set_offset(offset);
  writer->Write(request);
  constexpr size_t kChunk = 1 << 20;
  for (size_t at = 0; at < bytes.size(); at += kChunk) {
    request.set_chunk(bytes.substr(at, kChunk));
    if (!writer->Write(request)) break;
  }
  writer->WritesDone();
  return writer->Finish();
}

grpc::Status Daemon::CreateDataset(const std::string& name, v1::Dataset* dataset) {
  const std::string content = absl::StrCat("content of ", name);
  v1::UploadBlobResponse response;
  EXPECT_TRUE(Upload(content, 0, content, &response).ok());
  v1::CreateDatasetRequest request;
  request.set_name(name);
  v1::DatasetFile& file = *request.add_files();
  file.set_name("data.npz");
  file.set_sha256(Sha256Hex(content));
  file.set_size_bytes(content.size());
  grpc::ClientContext context;
  return datasets().CreateDataset(&context, request, dataset);
}

void Daemon::PushDataset(const std::string& name) {
  v1::Dataset dataset;
  const grpc::Status status = CreateDataset(name, &dataset);
  ASSERT_TRUE(status.ok()) << status.error_message();
}

v1::SubmitJobRequest Daemon::Request(const std::string& job_name) {
  v1::SubmitJobRequest request;
  v1::JobSpec& spec = *request.mutable_spec();
  spec.set_name(job_name);
  spec.set_dataset("digits");
  spec.mutable_model()->set_model("builtin:resnet18");
  spec.mutable_model()->set_width(0.1);
  return request;
}

grpc::Status Daemon::TrySubmit(const v1::SubmitJobRequest& request, v1::Job* job) {
  grpc::ClientContext context;
  return jobs().SubmitJob(&context, request, job);
}

std::string Daemon::Submit(const std::string& job_name, int max_retries) {
  v1::SubmitJobRequest request = Request(job_name);
  request.mutable_spec()->set_max_retries(max_retries);
  v1::Job job;
  const grpc::Status status = TrySubmit(request, &job);
  EXPECT_TRUE(status.ok()) << status.error_message();
  return job.id();
}

v1::Job Daemon::Get(const std::string& id) {
  grpc::ClientContext context;
  context.set_wait_for_ready(true);
  v1::GetJobRequest request;
  request.set_id(id);
  v1::Job job;
  const grpc::Status status = jobs().GetJob(&context, request, &job);
  EXPECT_TRUE(status.ok()) << status.error_message();
  return job;
}

bool Daemon::WaitFor(const std::function<bool()>& done) {
  for (int i = 0; i < 3000; ++i) {
    if (done()) return true;
    RealClock().SleepFor(absl::Milliseconds(20));
  }
  return false;
}

bool Daemon::WaitForState(const std::string& id, v1::JobState state) {
  return WaitFor([&] { return Get(id).state() == state; });
}

grpc::Status Daemon::Watch(const std::string& id, std::vector<v1::JobEvent>& events, size_t most) {
  grpc::ClientContext context;
  v1::WatchJobRequest request;
  request.set_id(id);
  if (!events.empty()) request.set_after_sequence(events.back().sequence());
  const auto reader = jobs().WatchJob(&context, request);
  v1::JobEvent event;
  while (reader->Read(&event)) {
    events.push_back(event);
    if (events.size() >= most) context.TryCancel();
  }
  return reader->Finish();
}

std::vector<pid_t> Daemon::WorkerPids() {
  // A worker's working folder is in ours.
  std::vector<pid_t> pids;
  const std::vector<std::string> names = *RealFileSystem().List("/proc");
  for (const std::string& name : names) {
    pid_t pid = 0;
    if (!absl::SimpleAtoi(name, &pid)) continue;
    char folder[4096];
    const ssize_t size =
        readlink(absl::StrCat("/proc/", name, "/cwd").c_str(), folder, sizeof(folder));
    if (size > 0 && absl::StartsWith(absl::string_view(folder, size), folder_ + "/work")) {
      pids.push_back(pid);
    }
  }
  return pids;
}

std::string Daemon::Scrape() {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<uint16_t>(metrics_port_));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  std::string answer;
  const std::string request = "GET /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
  if (connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof(address)) == 0 &&
      send(fd, request.data(), request.size(), 0) > 0) {
    char buffer[4096];
    for (ssize_t got; (got = recv(fd, buffer, sizeof(buffer), 0)) > 0;) answer.append(buffer, got);
  }
  close(fd);
  return answer;
}

}  // namespace mantissa
