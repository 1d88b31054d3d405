#include "client/cc/client.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <stop_token>
#include <thread>

#include "client/cc/errors.h"
#include "tests/client/fake_server.h"
#include "tests/client/fast_client.h"

namespace mantissa::client {
namespace {

v1::GetJobRequest JobRequest(const std::string& id) {
  v1::GetJobRequest request;
  request.set_id(id);
  return request;
}

TEST(ClientTest, RepeatsIdempotentCallWhileServerIsUnavailable) {
  FakeServer server;
  server.AddJob(TrainedJob("job-1", TrainingEvents(2, v1::JOB_STATE_SUCCEEDED)), {});
  server.FailNext("GetJob", absl::UnavailableError("starting"));
  server.FailNext("GetJob", absl::UnavailableError("starting"));
  const auto job = FastClient(FastOptions(server.address()))->GetJob(JobRequest("job-1"));
  ASSERT_TRUE(job.ok()) << job.status();
  EXPECT_EQ(job->id(), "job-1");
  EXPECT_EQ(server.Calls("GetJob"), 3);
}

TEST(ClientTest, GivesUpAfterItsNumberOfAttempts) {
  FakeServer server;
  for (int i = 0; i < 5; ++i) server.FailNext("GetJob", absl::UnavailableError("busy"));
  const auto job = FastClient(FastOptions(server.address()))->GetJob(JobRequest("job-1"));
  EXPECT_TRUE(absl::IsUnavailable(job.status()));
  EXPECT_TRUE(IsUnreachable(job.status()));
  EXPECT_EQ(server.Calls("GetJob"), 3);
}

TEST(ClientTest, DoesNotRepeatCallThatServerRefused) {
  FakeServer server;
  server.FailNext("GetJob", absl::InvalidArgumentError("no"));
  const auto job = FastClient(FastOptions(server.address()))->GetJob(JobRequest("job-1"));
  EXPECT_TRUE(absl::IsInvalidArgument(job.status()));
  EXPECT_TRUE(IsFromCall(job.status()));
  EXPECT_FALSE(IsUnreachable(job.status()));
  EXPECT_EQ(server.Calls("GetJob"), 1);
}

TEST(ClientTest, NeverRepeatsDeletionOfDataset) {
  FakeServer server;
  server.FailNext("DeleteDataset", absl::UnavailableError("busy"));
  EXPECT_FALSE(FastClient(FastOptions(server.address()))->DeleteDataset({}).ok());
  EXPECT_EQ(server.Calls("DeleteDataset"), 1);
}

TEST(ClientTest, RepeatsSubmissionOnlyWithRequestKey) {
  FakeServer server;
  const auto client = FastClient(FastOptions(server.address()));
  v1::SubmitJobRequest request;
  server.FailNext("SubmitJob", absl::UnavailableError("busy"));
  EXPECT_FALSE(client->SubmitJob(request).ok());
  EXPECT_EQ(server.Calls("SubmitJob"), 1);
  request.set_request_id("once");
  server.FailNext("SubmitJob", absl::UnavailableError("busy"));
  EXPECT_TRUE(client->SubmitJob(request).ok());
  EXPECT_EQ(server.Calls("SubmitJob"), 3);
}

TEST(ClientTest, CarriesFieldViolationsOfServersError) {
  FakeServer server;
  server.FailNext("SubmitJob", BadRequestError("learning rate", "spec.training.learning_rate",
                                               "is nan; allowed a finite number above 0."));
  const auto job = FastClient(FastOptions(server.address()))->SubmitJob({});
  const ErrorDetails details = DetailsOf(job.status());
  ASSERT_EQ(details.violations.size(), 1u);
  EXPECT_EQ(details.violations[0].subject, "spec.training.learning_rate");
  EXPECT_EQ(details.violations[0].description, "is nan; allowed a finite number above 0.");
}

TEST(ClientTest, NamesMissingResourceOfServersError) {
  FakeServer server;
  server.FailNext("SubmitJob", MissingResourceError("dataset", "digits"));
  const auto job = FastClient(FastOptions(server.address()))->SubmitJob({});
  EXPECT_EQ(DetailsOf(job.status()).resource_type, "dataset");
  EXPECT_EQ(DetailsOf(job.status()).resource_name, "digits");
}

TEST(ClientTest, SendsTokenAsBearerMetadata) {
  FakeServer server;
  ConnectOptions options = FastOptions(server.address());
  options.token = "s3cret";
  ASSERT_TRUE(FastClient(options)->GetServerInfo().ok());
  absl::MutexLock lock(&server.state().mutex);
  EXPECT_EQ(server.state().last_token, "Bearer s3cret");
}

TEST(ClientTest, RefusesToSendTokenUnencryptedToAnotherMachine) {
  const auto client = Client::Connect({.address = "gpu-box:7070", .token = "s3cret"});
  EXPECT_TRUE(absl::IsFailedPrecondition(client.status()));
  EXPECT_THAT(std::string(client.status().message()), testing::HasSubstr("--tls-ca"));
  EXPECT_TRUE(Client::Connect({.address = "localhost:7070", .token = "s3cret"}).ok());
  EXPECT_TRUE(Client::Connect({.address = "127.0.0.2:7070", .token = "s3cret"}).ok());
  EXPECT_FALSE(Client::Connect({.address = "127.example.com:7070", .token = "s3cret"}).ok());
  EXPECT_TRUE(Client::Connect({.address = "unix:/run/mantissa.sock", .token = "s3cret"}).ok());
}

TEST(ClientTest, RefusesAddressThatCannotBeOne) {
  for (const char* address : {"", "gpu-box", ":7070", "gpu-box:0", "gpu-box:70000", "gpu-box:x"}) {
    EXPECT_TRUE(absl::IsInvalidArgument(Client::Connect({.address = address}).status())) << address;
  }
}

TEST(ClientTest, EndsCallAtOnceWhenStopIsRequested) {
  FakeServer server;
  ConnectOptions options = FastOptions(server.address());
  options.retry.first_wait = absl::Hours(1);
  options.retry.longest_wait = absl::Hours(1);
  std::stop_source stop;
  options.stop = stop.get_token();
  server.FailNext("GetJob", absl::UnavailableError("busy"));
  std::thread stopping([&] {
    while (server.Calls("GetJob") == 0) std::this_thread::yield();
    stop.request_stop();
  });
  const absl::Status status = FastClient(options)->GetJob(JobRequest("job-1")).status();
  stopping.join();
  EXPECT_TRUE(absl::IsCancelled(status));
  EXPECT_FALSE(IsFromCall(status));
}

TEST(ClientTest, SaysWhereNoServerAnswers) {
  FakeServer server;
  server.Stop();
  const auto info = FastClient(FastOptions(server.address()))->GetServerInfo();
  EXPECT_TRUE(IsUnreachable(info.status()));
  EXPECT_THAT(std::string(info.status().message()), testing::HasSubstr(server.address()));
}

}  // namespace
}  // namespace mantissa::client
