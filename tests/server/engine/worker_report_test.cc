#include "server/engine/worker_report.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>

#include "base/status.h"
#include "base/temp_folder.h"

namespace mantissa::engine {
namespace {

TEST(WorkerReport, SetsThePeakAgainstTheBaselines) {
  const TempFolder folder;
  const internal::v1::TrainTask task;
  const auto plan =
      planner::MakePlan({.model = {.name = "squeezenet", .width = 0.1}, .batch_size = 64});
  MANTISSA_CHECK_OK(plan);
  const auto history = History::Open(RealFileSystem(), JoinPath(folder.path(), "history.jsonl"));
  MANTISSA_CHECK_OK(history);
  JobReport report{.task = task, .history = *history, .plan = *plan, .outcome = "succeeded"};
  v1::JobMemory& memory = report.memory.emplace();
  memory.mutable_measured()->set_peak_bytes(300);
  memory.mutable_predicted()->set_peak_bytes(290);
  memory.set_device("cpu");
  v1::MemoryBaseline& baseline = *memory.add_baselines();
  baseline.set_name("fp32");
  baseline.set_peak_bytes(1200);
  baseline.set_measured(true);
  const std::string path = JoinPath(folder.path(), "report.json");
  MANTISSA_CHECK_OK(WriteReportJson(RealFileSystem(), path, report));
  const auto json = nlohmann::json::parse(*RealFileSystem().Read(path))["memory"];
  EXPECT_EQ(json["measured"]["peak_bytes"], 300);
  EXPECT_EQ(json["predicted"]["peak_bytes"], 290);
  EXPECT_EQ(json["budget_bytes"], 0);
  EXPECT_EQ(json["device"], "cpu");
  EXPECT_EQ(json["baselines"],
            nlohmann::json::parse(R"([{"name": "fp32", "peak_bytes": 1200, "saved_bytes": 900,
                                       "ratio": 0.25, "measured": true}])"));

  report.memory.reset();
  MANTISSA_CHECK_OK(WriteReportJson(RealFileSystem(), path, report));
  EXPECT_FALSE(nlohmann::json::parse(*RealFileSystem().Read(path)).contains("memory"));
}

TEST(WorkerReport, NumbersOfTheSpecAreNumbersHoweverLarge) {
  const TempFolder folder;
  internal::v1::TrainTask task;
  v1::JobSpec& spec = *task.mutable_spec();
  spec.set_name("7");
  (*spec.mutable_labels())["size"] = "8";
  for (const int64_t side : {3, 32, 32}) spec.mutable_model()->add_input_shape(side);
  spec.mutable_training()->set_epochs(4);
  spec.mutable_training()->set_batch_size(64);
  spec.mutable_training()->set_seed(UINT64_MAX);
  const auto plan =
      planner::MakePlan({.model = {.name = "squeezenet", .width = 0.1}, .batch_size = 64});
  MANTISSA_CHECK_OK(plan);
  const auto history = History::Open(RealFileSystem(), JoinPath(folder.path(), "history.jsonl"));
  MANTISSA_CHECK_OK(history);
  const std::string path = JoinPath(folder.path(), "report.json");
  MANTISSA_CHECK_OK(
      WriteReportJson(RealFileSystem(), path,
                      {.task = task, .history = *history, .plan = *plan, .outcome = "succeeded"}));
  const auto json = nlohmann::json::parse(*RealFileSystem().Read(path))["spec"];
  EXPECT_EQ(json["training"]["batch_size"], 64);
  EXPECT_EQ(json["training"]["seed"], UINT64_MAX);
  EXPECT_EQ(json["training"]["epochs"], 4);
  EXPECT_EQ(json["model"]["input_shape"], (nlohmann::json{3, 32, 32}));
  EXPECT_EQ(json["name"], "7");
  EXPECT_EQ(json["labels"]["size"], "8");
}

}  // namespace
}  // namespace mantissa::engine
