#include "client/cli/json.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

#include "absl/strings/str_cat.h"
#include "google/protobuf/descriptor.h"
#include "google/protobuf/util/message_differencer.h"
#include "mantissa/v1/dataset.pb.h"
#include "mantissa/v1/job.pb.h"
#include "mantissa/v1/planner.pb.h"

namespace mantissa::cli {
namespace {

using google::protobuf::util::MessageDifferencer;
using testing::HasSubstr;
using testing::Not;

TEST(JsonTest, WritesSnakeCaseNamesAndNumbersAsNumbers) {
  v1::Plan plan;
  plan.set_total_elements(9'007'199'254'740'993);
  plan.set_ratio_low_bits(0.1);
  const std::string json = JsonLine(plan);
  EXPECT_THAT(json, HasSubstr("\"total_elements\":9007199254740993,"));
  EXPECT_THAT(json, HasSubstr("\"ratio_low_bits\":0.1,"));
  EXPECT_THAT(json, HasSubstr("\"groups\":[],"));
}

TEST(JsonTest, LeavesUnsetOptionalFieldsAndMessagesOut) {
  v1::PrecisionSpec precision;
  EXPECT_THAT(JsonLine(precision), Not(HasSubstr("low_ratio")));
  precision.set_low_ratio(0);
  EXPECT_THAT(JsonLine(precision), HasSubstr("\"low_ratio\":0.0"));
  EXPECT_THAT(JsonLine(v1::Job()), Not(HasSubstr("progress")));
}

TEST(JsonTest, WritesTimesDurationsBytesAndSpecialNumbers) {
  v1::JobEvent event;
  event.mutable_time()->set_seconds(1'795'521'600);
  event.mutable_step_done()->mutable_duration()->set_nanos(500'000'000);
  event.mutable_step_done()->set_loss(std::numeric_limits<double>::quiet_NaN());
  event.mutable_step_done()->set_loss_scale(std::numeric_limits<double>::infinity());
  const std::string json = JsonLine(event);
  EXPECT_THAT(json, HasSubstr("\"time\":\"2026-11-24T12:00:00Z\""));
  EXPECT_THAT(json, HasSubstr("\"duration\":\"0.500s\""));
  EXPECT_THAT(json, HasSubstr("\"loss\":\"NaN\""));
  EXPECT_THAT(json, HasSubstr("\"loss_scale\":\"Infinity\""));
  v1::ArtifactChunk chunk;
  chunk.set_data("\x01\xff");
  EXPECT_THAT(JsonLine(chunk), HasSubstr("\"data\":\"Af8=\""));
}

TEST(JsonTest, WritesFloatsInTheirShortestForm) {
  v1::Dataset dataset;
  dataset.add_mean(0.1f);
  EXPECT_THAT(JsonLine(dataset), HasSubstr("\"mean\":[0.1]"));
}

TEST(JsonTest, SortsMapsByTheirKeys) {
  v1::JobSpec spec;
  for (const char* key : {"z", "a", "m"}) (*spec.mutable_labels())[key] = "1";
  EXPECT_THAT(JsonLine(spec), HasSubstr(R"("labels":{"a":"1","m":"1","z":"1"})"));
}

TEST(JsonTest, IsReadBackAsTheSameMessage) {
  v1::JobSpec spec;
  spec.set_name("größe \"quoted\"");
  (*spec.mutable_labels())["team"] = "vision";
  spec.mutable_model()->set_width(0.25);
  spec.mutable_model()->add_input_shape(3);
  spec.mutable_precision()->set_policy(v1::POLICY_NAME_UNIFORM);
  spec.mutable_precision()->set_seed(std::numeric_limits<uint64_t>::max());
  spec.mutable_training()->set_steps(int64_t{1} << 40);
  spec.mutable_training()->set_dynamic_loss_scale(false);
  spec.set_max_retries(0);
  v1::JobSpec read;
  ASSERT_TRUE(ParseJson(JsonText(spec), &read).ok());
  EXPECT_TRUE(MessageDifferencer::Equals(spec, read));
}

TEST(JsonTest, NamesUnknownFieldOfWhatItReads) {
  v1::JobSpec spec;
  const absl::Status status = ParseJson(R"({"modle": {}})", &spec);
  EXPECT_TRUE(absl::IsInvalidArgument(status));
  EXPECT_THAT(std::string(status.message()), HasSubstr("modle"));
  EXPECT_FALSE(ParseJson("{", &spec).ok());
}

TEST(JsonTest, StaysJsonWithTextThatIsNotUtf8) {
  v1::Notice notice;
  notice.set_message("a\xff");
  EXPECT_EQ(JsonLine(notice), "{\"message\":\"a\xEF\xBF\xBD\"}\n");
}

}  // namespace
}  // namespace mantissa::cli
