#include "server/engine/worker_report.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>

#include "base/status.h"
#include "base/temp_folder.h"

namespace mantissa::engine {
namespace {

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
