#include "server/main/settings.h"

#include <map>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "base/file.h"
#include "base/temp_folder.h"
#include "gtest/gtest.h"

namespace mantissa::server {
namespace {

class SettingsTest : public testing::Test {
 protected:
  absl::StatusOr<Config> Load(const std::vector<std::string>& args) {
    return LoadConfig(
        args,
        [this](const char* name) {
          const auto it = environment_.find(name);
          return it == environment_.end() ? nullptr : it->second.c_str();
        },
        RealFileSystem());
  }
  std::string File(const std::string& text) {
    const std::string path = JoinPath(folder_.path(), "config");
    EXPECT_TRUE(RealFileSystem().WriteAtomically(path, text).ok());
    return path;
  }

  TempFolder folder_;
  std::map<std::string, std::string> environment_;
};

TEST_F(SettingsTest, FlagsWinOverEnvironmentThatOverFileThatOverDefault) {
  const std::string file =
      File("# a comment\n\n data-dir = /from/file \nmax-queued-jobs=3\nmax-running-jobs = 3\n");
  EXPECT_EQ(Load({})->max_queued_jobs, 1000);
  EXPECT_EQ(Load({"--config", file})->max_queued_jobs, 3);
  environment_["MANTISSAD_MAX_QUEUED_JOBS"] = "4";
  EXPECT_EQ(Load({"--config", file})->max_queued_jobs, 4);
  const Config config = *Load({"--max-queued-jobs", "5", absl::StrCat("--config=", file)});
  EXPECT_EQ(config.max_queued_jobs, 5);
  EXPECT_EQ(config.max_running_jobs, 3);
  EXPECT_EQ(config.data_dir, "/from/file");
}

TEST_F(SettingsTest, TheFileCanBeNamedInTheEnvironment) {
  environment_["MANTISSAD_CONFIG"] = File("data-dir = /from/file\n");
  EXPECT_EQ(Load({})->data_dir, "/from/file");
}

TEST_F(SettingsTest, EverySettingCanBeWrittenAsItReadsInAllThreePlaces) {
  const Config defaults;
  for (const Setting& setting : Settings()) {
    const std::string text = setting.get(defaults);
    if (text.empty()) continue;
    EXPECT_EQ(setting.get(*Load({absl::StrCat("--", setting.name, "=", text)})), text);
    EXPECT_EQ(setting.get(*Load({"--config", File(absl::StrCat(setting.name, " = ", text))})),
              text);
    environment_[EnvironmentName(setting)] = text;
    EXPECT_EQ(setting.get(*Load({})), text) << setting.name;
    environment_.clear();
  }
}

TEST_F(SettingsTest, SwitchesNeedNoValueAndTakeOne) {
  EXPECT_TRUE(Load({"--stop-workers"})->stop_workers);
  EXPECT_FALSE(Load({"--stop-workers=false"})->stop_workers);
}

TEST_F(SettingsTest, UnitsOfBytesAndTimesAreRead) {
  EXPECT_EQ(Load({"--max-blob-bytes", "3MiB"})->max_blob_bytes, 3 << 20);
  EXPECT_EQ(Load({"--lost-worker-after", "1m30s"})->lost_worker_after, absl::Seconds(90));
}

TEST_F(SettingsTest, WrongValuesNameSettingPlaceAndWhatIsAllowed) {
  const auto expect = [&](const std::vector<std::string>& args, const std::string& text) {
    const absl::Status status = Load(args).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
    EXPECT_TRUE(absl::StrContains(status.message(), text)) << status;
  };
  expect({"--max-running-jobs", "0"}, "--max-running-jobs is \"0\"; allowed a whole number from 1");
  expect({"--max-blob-bytes", "8GB"}, "8GiB");
  expect({"--device", "gpu"}, "--device is \"gpu\"; allowed auto, cpu, cuda");
  expect({"--retry-delay", "-1s"}, "above zero");
  expect({"--retry-delay", "inf"}, "above zero");
  expect({"--no-such-flag"}, "--no-such-flag");
  expect({"positional"}, "positional");
  expect({"--listen"}, "--listen needs a value");
  expect({"--config", File("x\n")}, "There is no setting x");
  expect({"--config", File("\nlisten\n")}, "line 2");
}

TEST_F(SettingsTest, HelpNamesEverySetting) {
  for (const Setting& setting : Settings()) {
    EXPECT_TRUE(absl::StrContains(HelpText(), absl::StrCat("--", setting.name))) << setting.name;
    EXPECT_FALSE(setting.help.empty()) << setting.name;
  }
}

TEST_F(SettingsTest, DocsMantissadIsWhatTheTableGenerates) {
  const absl::StatusOr<std::string> text = RealFileSystem().Read("docs/mantissad.md");
  ASSERT_TRUE(text.ok()) << text.status();
  EXPECT_EQ(*text, SettingsMarkdown())
      << "run: bazel run //server/main:print_settings > docs/mantissad.md";
}

}  // namespace
}  // namespace mantissa::server
