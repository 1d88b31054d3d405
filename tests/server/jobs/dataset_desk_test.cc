#include "server/jobs/dataset_desk.h"

#include <optional>
#include <string>

#include "absl/strings/str_cat.h"
#include "base/hash.h"
#include "base/temp_folder.h"
#include "gtest/gtest.h"
#include "tests/server/jobs/world.h"

namespace mantissa::jobs {
namespace {

class DatasetDeskTest : public testing::Test {
 protected:
  DatasetDeskTest() : world_(folder_.path(), "sleep 100") {}
  ~DatasetDeskTest() override { world_.pool.StopAll(); }

  v1::CreateDatasetRequest Request(const std::string& name, const std::string& content) {
    v1::CreateDatasetRequest request;
    request.set_name(name);
    v1::DatasetFile& file = *request.add_files();
    file.set_name("data.npz");
    file.set_sha256(Sha256Hex(content));
    file.set_size_bytes(content.size());
    return request;
  }

  void Create(const v1::CreateDatasetRequest& request) {
    result_.reset();
    world_.dataset_desk.Create(
        request, [this](absl::StatusOr<v1::Dataset> dataset) { result_ = std::move(dataset); });
  }

  void CreateKnown(const std::string& name, const std::string& content) {
    world_.Upload(content);
    Create(Request(name, content));
    internal::v1::WorkerReport report;
    report.set_number(1);
    report.mutable_inspected()->set_train_samples(80);
    world_.ReportInspection(report);
    ASSERT_TRUE(result_.has_value() && result_->ok());
    world_.pool.StopAll();
  }

  TempFolder folder_;
  World world_;
  std::optional<absl::StatusOr<v1::Dataset>> result_;
};

TEST_F(DatasetDeskTest, IsThereOnceAWorkerHasReadIt) {
  world_.Upload("bytes");
  Create(Request("digits", "bytes"));
  EXPECT_FALSE(result_.has_value());
  internal::v1::WorkerReport report;
  report.set_number(1);
  report.mutable_inspected()->set_train_samples(80);
  world_.ReportInspection(report);
  ASSERT_TRUE(result_.has_value());
  ASSERT_TRUE(result_->ok()) << result_->status();
  const v1::Dataset dataset = *world_.datasets.Get("digits");
  EXPECT_EQ(dataset.train_samples(), 80);
  EXPECT_EQ(dataset.test_fraction(), 0.2);
  EXPECT_EQ(dataset.size_bytes(), 5);
  EXPECT_EQ(dataset.content_sha256().size(), 64u);
}

TEST_F(DatasetDeskTest, AMissingBlobIsAPrecondition) {
  Create(Request("digits", "never uploaded"));
  ASSERT_TRUE(result_.has_value());
  EXPECT_EQ(result_->status().code(), absl::StatusCode::kFailedPrecondition);
}

TEST_F(DatasetDeskTest, TheSameBytesAgainReturnTheKnownOneAtOnce) {
  CreateKnown("digits", "bytes");
  Create(Request("digits", "bytes"));
  ASSERT_TRUE(result_.has_value());
  EXPECT_TRUE(result_->ok());
  EXPECT_EQ(world_.observer.starts, 1);
}

TEST_F(DatasetDeskTest, OtherBytesOrOptionsUnderTheNameAlreadyExist) {
  CreateKnown("digits", "bytes");
  world_.Upload("others");
  Create(Request("digits", "others"));
  EXPECT_EQ(result_->status().code(), absl::StatusCode::kAlreadyExists);
  v1::CreateDatasetRequest other_split = Request("digits", "bytes");
  other_split.set_split_seed(1);
  Create(other_split);
  EXPECT_EQ(result_->status().code(), absl::StatusCode::kAlreadyExists);
  v1::CreateDatasetRequest other_reading = Request("digits", "bytes");
  other_reading.mutable_read()->set_sequence_length(2);
  Create(other_reading);
  EXPECT_EQ(result_->status().code(), absl::StatusCode::kAlreadyExists);
}

TEST_F(DatasetDeskTest, WhatTheWorkerCannotReadIsTheCallersFault) {
  world_.Upload("bytes");
  Create(Request("digits", "bytes"));
  internal::v1::WorkerReport report;
  report.set_number(1);
  report.mutable_failed()->set_cause(v1::FAILURE_CAUSE_BAD_DATA);
  report.mutable_failed()->set_message("data.npz is truncated.");
  world_.ReportInspection(report);
  ASSERT_TRUE(result_.has_value());
  EXPECT_EQ(result_->status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_NE(result_->status().message().find("data.npz is truncated."), std::string::npos);
  EXPECT_FALSE(world_.datasets.Get("digits").ok());
}

TEST_F(DatasetDeskTest, AWorkerThatDiesReadingNeverLeavesTheCallerWaiting) {
  World world(folder_.path(), "kill -SEGV $$");
  auto upload = *world.blobs.Begin(Sha256Hex("bytes"), 5, 0);
  ASSERT_TRUE(upload->Append("bytes").ok());
  ASSERT_TRUE(upload->Finish().ok());
  std::optional<absl::Status> status;
  world.dataset_desk.Create(Request("digits", "bytes"),
                            [&](absl::StatusOr<v1::Dataset> d) { status = d.status(); });
  ASSERT_TRUE(world.TickUntil([&] { return status.has_value(); }));
  EXPECT_EQ(status->code(), absl::StatusCode::kInternal);
  EXPECT_NE(status->message().find("signal 11"), std::string::npos) << *status;
  EXPECT_NE(status->message().find("inspect.log"), std::string::npos) << *status;
}

TEST_F(DatasetDeskTest, AReaderThatDoesNotStartIsTheServersFault) {
  world_.Upload("bytes");
  ASSERT_TRUE(world_.files.Remove(world_.program).ok());
  Create(Request("digits", "bytes"));
  ASSERT_TRUE(result_.has_value());
  EXPECT_EQ(result_->status().code(), absl::StatusCode::kInternal);
  EXPECT_NE(result_->status().message().find("reader did not start"), std::string::npos);
  EXPECT_NE(result_->status().message().find(world_.program), std::string::npos);
}

TEST_F(DatasetDeskTest, ReadingThatTakesTooLongIsRefused) {
  world_.Upload("bytes");
  Create(Request("digits", "bytes"));
  // Signs of life keep the worker, not the inspection.
  ASSERT_TRUE(world_.TickUntil(
      [&] {
        for (const std::string& task : world_.pool.Tasks()) world_.pool.Heard(task);
        return result_.has_value();
      },
      absl::Seconds(30)));
  EXPECT_EQ(result_->status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_NE(result_->status().message().find("took longer"), std::string::npos);
}

TEST_F(DatasetDeskTest, NobodyWaitsForAServerThatStops) {
  world_.Upload("bytes");
  Create(Request("digits", "bytes"));
  world_.inspections.Abandon();
  ASSERT_TRUE(result_.has_value());
  EXPECT_EQ(result_->status().code(), absl::StatusCode::kUnavailable);
  Create(Request("digits", "bytes"));
  ASSERT_TRUE(result_.has_value());
  EXPECT_EQ(result_->status().code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(world_.observer.starts, 1);
}

TEST_F(DatasetDeskTest, ListsInPagesThatFitIntoAMessage) {
  for (int i = 0; i < 6; ++i) {
    v1::Dataset dataset;
    dataset.set_name(absl::StrCat("set", i));
    dataset.add_class_names(std::string(300000, 'x'));
    ASSERT_TRUE(world_.datasets.Insert(dataset).ok());
  }
  const DatasetPage two = *world_.datasets.List("", 2);
  ASSERT_EQ(two.datasets.size(), 2u);
  EXPECT_TRUE(two.more);
  const DatasetPage first = *world_.datasets.List("", 100);
  ASSERT_EQ(first.datasets.size(), 4u);
  EXPECT_TRUE(first.more);
  const DatasetPage last = *world_.datasets.List(first.datasets.back().name(), 2);
  ASSERT_EQ(last.datasets.size(), 2u);
  EXPECT_EQ(last.datasets[1].name(), "set5");
  EXPECT_FALSE(last.more);
}

TEST_F(DatasetDeskTest, DeletingTakesTheBlobsThatNothingElseHas) {
  CreateKnown("one", "shared");
  CreateKnown("two", "shared");
  ASSERT_TRUE(world_.dataset_desk.Delete("one").ok());
  EXPECT_TRUE(world_.blobs.PathOf(Sha256Hex("shared")).ok());
  ASSERT_TRUE(world_.dataset_desk.Delete("two").ok());
  EXPECT_FALSE(world_.blobs.PathOf(Sha256Hex("shared")).ok());
}

TEST_F(DatasetDeskTest, ADataSetInUseStaysUntilItsJobHasEnded) {
  world_.AddDataset("digits");
  const v1::Job job = world_.MustSubmit("digits");
  const absl::Status status = world_.dataset_desk.Delete("digits");
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_NE(status.message().find(job.id()), std::string::npos);
  ASSERT_TRUE(world_.desk.Cancel(job.id()).ok());
  EXPECT_TRUE(world_.dataset_desk.Delete("digits").ok());
}

TEST_F(DatasetDeskTest, WrongRequestsNameTheirField) {
  v1::CreateDatasetRequest no_files;
  no_files.set_name("digits");
  Create(no_files);
  EXPECT_NE(result_->status().message().find("files is 0 files"), std::string::npos);
  v1::CreateDatasetRequest outside = Request("digits", "bytes");
  outside.mutable_files(0)->set_name("../data.npz");
  Create(outside);
  EXPECT_NE(result_->status().message().find("files[0].name"), std::string::npos);
  v1::CreateDatasetRequest fraction = Request("digits", "bytes");
  fraction.set_test_fraction(1.0);
  Create(fraction);
  EXPECT_NE(result_->status().message().find("test_fraction is 1"), std::string::npos);
  v1::CreateDatasetRequest stddev = Request("digits", "bytes");
  stddev.add_mean(0.5);
  Create(stddev);
  EXPECT_NE(result_->status().message().find("stddev"), std::string::npos);
}

}  // namespace
}  // namespace mantissa::jobs
