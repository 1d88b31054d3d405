// Who is let in.

#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "base/file.h"
#include "grpcpp/create_channel.h"
#include "grpcpp/generic/generic_stub.h"
#include "gtest/gtest.h"
#include "tests/server/main/daemon.h"

namespace mantissa {
namespace {

// An empty message to any method.
grpc::Status Call(const std::shared_ptr<grpc::Channel>& channel, const std::string& method,
                  const std::string& token) {
  grpc::GenericStub stub(channel);
  grpc::ClientContext context;
  if (!token.empty()) context.AddMetadata("authorization", absl::StrCat("Bearer ", token));
  grpc::CompletionQueue queue;
  const grpc::Slice empty;
  grpc::ByteBuffer request(&empty, 1), response;
  grpc::Status status;
  const auto call = stub.PrepareUnaryCall(&context, method, request, &queue);
  call->StartCall();
  call->Finish(&response, &status, nullptr);
  void* tag;
  bool ok;
  queue.Next(&tag, &ok);
  return status;
}

class AuthTest : public testing::Test {
 protected:
  std::string File(const std::string& name, const std::string& text) {
    const std::string path = JoinPath(daemon_.folder(), name);
    EXPECT_TRUE(RealFileSystem().WriteAtomically(path, text).ok());
    return path;
  }
  Daemon daemon_;
};

TEST_F(AuthTest, WithoutTheTokenNothingButHealthAnswers) {
  ASSERT_TRUE(daemon_.Start({"--token-file=" + File("token", "secret\n")})) << daemon_.error();
  const auto channel = daemon_.NewChannel();
  for (const char* method :
       {"/mantissa.v1.JobService/ListJobs", "/mantissa.v1.ServerService/GetServerInfo",
        "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo",
        "/no.such.Service/Method"}) {
    EXPECT_EQ(Call(channel, method, "").error_code(), grpc::StatusCode::UNAUTHENTICATED) << method;
    EXPECT_EQ(Call(channel, method, "wrong").error_code(), grpc::StatusCode::UNAUTHENTICATED)
        << method;
  }
  EXPECT_TRUE(Call(channel, "/mantissa.v1.JobService/ListJobs", "secret").ok());
  EXPECT_TRUE(Call(channel, "/grpc.health.v1.Health/Check", "").ok());
  const std::string metrics = daemon_.Scrape();
  EXPECT_TRUE(absl::StrContains(metrics,
                                "mantissa_rpc_handled_total{code=\"UNAUTHENTICATED\","
                                "method=\"mantissa.v1.JobService/ListJobs\"} 2"))
      << metrics;
  EXPECT_FALSE(absl::StrContains(metrics, "no.such.Service"));
}

TEST_F(AuthTest, TheTokenCanComeFromTheEnvironment) {
  setenv("MANTISSA_TOKEN", "secret", 1);
  const bool started = daemon_.Start();
  unsetenv("MANTISSA_TOKEN");
  ASSERT_TRUE(started) << daemon_.error();
  const auto channel = daemon_.NewChannel();
  EXPECT_FALSE(Call(channel, "/mantissa.v1.JobService/ListJobs", "").ok());
  EXPECT_TRUE(Call(channel, "/mantissa.v1.JobService/ListJobs", "secret").ok());
}

TEST_F(AuthTest, BeyondLoopbackItNeedsBothTlsAndToken) {
  EXPECT_FALSE(daemon_.Start({"--listen=0.0.0.0:0"}));
  EXPECT_TRUE(absl::StrContains(daemon_.error(), "needs both TLS and a token")) << daemon_.error();
  EXPECT_FALSE(daemon_.Start({"--listen=0.0.0.0:0", "--token-file=" + File("token", "secret")}));
  EXPECT_FALSE(daemon_.Start(
      {"--listen=[::]:0", "--tls-cert=" + File("c", "x"), "--tls-key=" + File("k", "x")}));
}

TEST_F(AuthTest, ACertificateThatIsNoneStopsTheStart) {
  EXPECT_FALSE(daemon_.Start({"--tls-cert=" + File("c", "x"), "--tls-key=" + File("k", "x")}));
  EXPECT_TRUE(absl::StrContains(daemon_.error(), "PEM")) << daemon_.error();
  EXPECT_FALSE(daemon_.Start({"--tls-cert=" + File("c", "x")}));
  EXPECT_TRUE(absl::StrContains(daemon_.error(), "belong together")) << daemon_.error();
}

TEST_F(AuthTest, ServesOverTlsToThoseWhoTrustItsCertificate) {
  const std::string cert = JoinPath(daemon_.folder(), "cert.pem");
  const std::string key = JoinPath(daemon_.folder(), "key.pem");
  ASSERT_EQ(system(absl::StrCat("openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 "
                                "-nodes -days 2 -subj /CN=localhost -addext "
                                "subjectAltName=DNS:localhost,IP:127.0.0.1 -keyout ",
                                key, " -out ", cert, " 2>/dev/null")
                       .c_str()),
            0);
  ASSERT_TRUE(daemon_.Start({"--tls-cert=" + cert, "--tls-key=" + key, "--listen=0.0.0.0:0",
                             "--token-file=" + File("token", "secret")}))
      << daemon_.error();
  grpc::SslCredentialsOptions options;
  options.pem_root_certs = *RealFileSystem().Read(cert);
  const std::string port = daemon_.address().substr(daemon_.address().rfind(':'));
  const auto channel = grpc::CreateChannel("127.0.0.1" + port, grpc::SslCredentials(options));
  EXPECT_TRUE(Call(channel, "/mantissa.v1.JobService/ListJobs", "secret").ok());
  EXPECT_EQ(Call(channel, "/mantissa.v1.JobService/ListJobs", "").error_code(),
            grpc::StatusCode::UNAUTHENTICATED);
}

TEST_F(AuthTest, TheWorkersSocketIsForTheOwnerAndItsTokensOnly) {
  ASSERT_TRUE(daemon_.Start()) << daemon_.error();
  const std::string socket = JoinPath(daemon_.folder(), "worker.sock");
  EXPECT_EQ(system(absl::StrCat("test $(stat -c %a ", socket, ") = 600").c_str()), 0);
  const auto channel = grpc::CreateChannel("unix:" + socket, grpc::InsecureChannelCredentials());
  EXPECT_EQ(Call(channel, "/mantissa.internal.v1.WorkerService/GetTask", "guess").error_code(),
            grpc::StatusCode::UNAUTHENTICATED);
  EXPECT_EQ(Call(daemon_.NewChannel(), "/mantissa.internal.v1.WorkerService/GetTask", "guess")
                .error_code(),
            grpc::StatusCode::UNIMPLEMENTED);
}

}  // namespace
}  // namespace mantissa
