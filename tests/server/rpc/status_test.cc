#include "server/rpc/status.h"

#include <string>

#include "base/status.h"
#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"
#include "gtest/gtest.h"
#include "server/jobs/errors.h"

namespace mantissa::rpc {
namespace {

template <typename Detail>
Detail DetailOf(const grpc::Status& status) {
  google::rpc::Status details;
  EXPECT_TRUE(details.ParseFromString(status.error_details()));
  EXPECT_EQ(details.code(), status.error_code());
  EXPECT_EQ(details.message(), status.error_message());
  Detail found;
  for (const auto& detail : details.details()) {
    if (detail.UnpackTo(&found)) return found;
  }
  ADD_FAILURE() << "no " << Detail::descriptor()->full_name();
  return found;
}

TEST(ToGrpcStatus, FieldViolationsBecomeABadRequest) {
  const grpc::Status status = ToGrpcStatus(
      InvalidField("training.learning_rate", "nan", "a finite number above 0", "Use 0.1."));
  EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  const auto request = DetailOf<google::rpc::BadRequest>(status);
  ASSERT_EQ(request.field_violations_size(), 1);
  EXPECT_EQ(request.field_violations(0).field(), "training.learning_rate");
  EXPECT_EQ(request.field_violations(0).description(),
            "training.learning_rate is nan; allowed a finite number above 0. Use 0.1.");
}

TEST(ToGrpcStatus, ResourcesPreconditionsAndQuotasComeAlong) {
  EXPECT_EQ(DetailOf<google::rpc::ResourceInfo>(ToGrpcStatus(jobs::NotFound("dataset", "x", "")))
                .resource_name(),
            "x");
  EXPECT_EQ(DetailOf<google::rpc::PreconditionFailure>(
                ToGrpcStatus(jobs::Precondition("DATASET_IN_USE", "x", "In use.")))
                .violations(0)
                .type(),
            "DATASET_IN_USE");
  EXPECT_EQ(DetailOf<google::rpc::QuotaFailure>(ToGrpcStatus(jobs::OverLimit("disk", "Full.")))
                .violations(0)
                .subject(),
            "disk");
}

TEST(ToGrpcStatus, EveryErrorHasItsReason) {
  EXPECT_EQ(DetailOf<google::rpc::ErrorInfo>(ToGrpcStatus(absl::AbortedError("x"))).reason(),
            "ABORTED");
}

TEST(ToGrpcStatus, LongTextsFitIntoTrailers) {
  const grpc::Status status =
      ToGrpcStatus(InvalidField("field", std::string(100000, 'x'), "less", "Shorten it."));
  EXPECT_LT(status.error_message().size() + status.error_details().size(), 8192u);
}

TEST(ToGrpcStatus, OkStaysOk) { EXPECT_TRUE(ToGrpcStatus(absl::OkStatus()).ok()); }

}  // namespace
}  // namespace mantissa::rpc
