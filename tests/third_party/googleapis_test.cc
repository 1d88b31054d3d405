#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"
#include "gtest/gtest.h"

namespace {

// The bytes that google/rpc/status.proto and error_details.proto of googleapis prescribe:
// field 1 varint 3; field 3 an Any of a BadRequest whose first violation has field "a".
TEST(Googleapis, StatusWithBadRequestHasThePublishedWireFormat) {
  google::rpc::BadRequest details;
  details.add_field_violations()->set_field("a");
  google::rpc::Status status;
  status.set_code(3);
  status.add_details()->PackFrom(details);
  const std::string url = "type.googleapis.com/google.rpc.BadRequest";
  const std::string value("\x0a\x03\x0a\x01\x61", 5);
  const std::string any = "\x0a" + std::string(1, url.size()) + url + "\x12\x05" + value;
  EXPECT_EQ(status.SerializeAsString(), "\x08\x03\x1a" + std::string(1, any.size()) + any);
}

}  // namespace
