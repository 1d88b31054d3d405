// Runs whole commands against a fake server.

#include "client/cli/app.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <thread>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/status.h"
#include "base/temp_folder.h"
#include "nlohmann/json.hpp"
#include "tests/client/cli/fake_io.h"
#include "tests/client/cli/golden.h"
#include "tests/client/fake_server.h"

namespace mantissa::cli {
namespace {

using nlohmann::json;
using nlohmann::ordered_json;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

void ClearNumbers(ordered_json& value) {
  if (value.is_number()) value = 0;
  if (!value.is_structured()) return;
  for (ordered_json& part : value) ClearNumbers(part);
}

// The JSON of a plan with zeros for what was predicted: how much that is, is the planner's to test.
std::string WithoutForecast(const std::string& plan) {
  ordered_json object = ordered_json::parse(plan);
  EXPECT_GT(object["memory"]["peak_bytes"], 0);
  EXPECT_GT(object["baselines"][0]["peak_bytes"], object["memory"]["peak_bytes"]);
  for (const char* key : {"memory", "baselines"}) ClearNumbers(object[key]);
  object["memory"]["peak"]["operator"] = "";
  return object.dump(2) + "\n";
}

class AppTest : public testing::Test {
 protected:
  AppTest() {
    io_.environment["MANTISSA_SERVER"] = server_.address();
    io_.environment["TMPDIR"] = folder_.path();
  }

  ExitCode Run(const std::vector<std::string>& words) {
    io_.Clear();
    return RunApp(words, io_);
  }

  void AddJob(const std::string& id, v1::JobState end, int steps = 6) {
    const std::vector<v1::JobEvent> events = TrainingEvents(steps, end);
    server_.AddJob(TrainedJob(id, events), events);
  }

  std::string Write(const std::string& name, const std::string& bytes) {
    const std::string path = JoinPath(folder_.path(), name);
    MANTISSA_CHECK_OK(io_.files().WriteAtomically(path, bytes));
    return path;
  }

  v1::SubmitJobRequest Submitted(size_t i = 0) {
    absl::MutexLock lock(&server_.state().mutex);
    return server_.state().submitted.at(i);
  }

  FakeServer server_;
  TempFolder folder_;
  FakeIo io_;
};

TEST_F(AppTest, ReturnsResultOfWatchedJobAsExitCode) {
  AddJob("job-1", v1::JOB_STATE_SUCCEEDED);
  AddJob("job-2", v1::JOB_STATE_FAILED);
  AddJob("job-3", v1::JOB_STATE_CANCELLED);
  EXPECT_EQ(Run({"watch", "job-1"}), kSucceeded);
  EXPECT_EQ(Run({"watch", "job-2"}), kJobFailed);
  EXPECT_THAT(io_.out(), HasSubstr("DIVERGED: the loss is not finite. Use a smaller --lr."));
  EXPECT_EQ(Run({"watch", "job-3"}), kJobCancelled);
}

TEST_F(AppTest, TellsUsageRefusalAndUnreachableServerApart) {
  EXPECT_EQ(Run({"watch"}), kUsage);
  EXPECT_EQ(Run({"submit", "--model", "resnet18"}), kUsage);
  EXPECT_THAT(io_.err(), HasSubstr("--dataset is missing"));
  EXPECT_EQ(Run({"get", "job-9"}), kRefused);
  EXPECT_THAT(io_.err(), HasSubstr("there is no job job-9"));
  EXPECT_EQ(Run({"list", "--server", "nonsense"}), kUsage);
  server_.Stop();
  EXPECT_EQ(Run({"list"}), kNotReachable);
  EXPECT_THAT(io_.err(), HasSubstr(server_.address()));
}

TEST_F(AppTest, PlansWithoutServerAsTheServerWould) {
  io_.environment.erase("MANTISSA_SERVER");
  const std::vector<std::string> words = {"plan",         "--model",     "builtin:mobilenet_v2",
                                          "--width",      "0.5",         "--classes",
                                          "100",          "--input",     "3x32x32",
                                          "--batch-size", "128",         "--policy",
                                          "demotion",     "--low-ratio", "0.5",
                                          "-o",           "json"};
  ASSERT_EQ(Run(words), kSucceeded) << io_.err();
  ExpectGolden("plan.json", WithoutForecast(io_.out()));
  const json plan = json::parse(io_.out());
  for (const char* key :
       {"total_elements", "ratio_low_groups", "ratio_low_bits", "bits", "bits_high"}) {
    EXPECT_TRUE(plan[key].is_number()) << key;
  }
  EXPECT_TRUE(plan["groups"][0]["low"].is_boolean());
  EXPECT_EQ(server_.Calls("Plan"), 0);
}

TEST_F(AppTest, AsksConfiguredServerForPlanUnlessTold) {
  {
    absl::MutexLock lock(&server_.state().mutex);
    server_.state().plan.mutable_plan()->set_total_elements(42);
  }
  ASSERT_EQ(Run({"plan", "--model", "resnet18", "--classes", "10", "-o", "json"}), kSucceeded);
  EXPECT_EQ(json::parse(io_.out())["total_elements"], 42);
  ASSERT_EQ(Run({"plan", "--local", "--model", "resnet18", "--classes", "10", "-o", "json"}),
            kSucceeded);
  EXPECT_NE(json::parse(io_.out())["total_elements"], 42);
  EXPECT_EQ(server_.Calls("Plan"), 1);
}

TEST_F(AppTest, ShowsMemoryOfAPlanAgainstTheBaselines) {
  ASSERT_EQ(Run({"plan", "--local", "--model", "resnet18", "--width", "0.25", "--classes", "10",
                 "--low-ratio", "1", "--optimizer", "adamw", "--optimizer-state", "int8",
                 "--storage", "emulated"}),
            kSucceeded)
      << io_.err();
  for (const char* words : {"predicted peak:", "saved for backward:", "\nKIND ", "\nactivations ",
                            "\nAGAINST ", "\nfp32 ", "\n16-bit ", "\noperator ",
                            "optimizer: ", "adamw, moments in int8", "storage: ", "emulated"}) {
    EXPECT_THAT(io_.out(), HasSubstr(words));
  }
}

TEST_F(AppTest, ShowsTheAnswerOfAPlanBelowItsTables) {
  ASSERT_EQ(
      Run({"plan", "--local", "--model", "resnet18", "--classes", "10", "--memory", "400MiB"}),
      kSucceeded)
      << io_.err();
  const std::vector<std::string> lines = absl::StrSplit(io_.out(), '\n');
  const auto answer = std::find_if(lines.begin(), lines.end(), [](const std::string& line) {
    return absl::StartsWith(line, "model: ");
  });
  // On a terminal of 24 lines it is there whatever has scrolled by.
  EXPECT_LE(lines.end() - answer, 20);
  const std::string text = absl::StrJoin(answer, lines.end(), "\n");
  for (const char* words : {"low groups:", "tensors:", "predicted peak:", "budget:"}) {
    EXPECT_THAT(text, HasSubstr(words));
  }
}

TEST_F(AppTest, FindsTheRatioThatFitsIntoMemory) {
  const std::vector<std::string> words = {"plan",      "--local", "--model",  "resnet18",
                                          "--classes", "10",      "--memory", "400MiB"};
  ASSERT_EQ(Run(words), kSucceeded) << io_.err();
  EXPECT_THAT(io_.out(), HasSubstr("demotion within 400.0 MiB"));
  EXPECT_THAT(io_.out(), HasSubstr("chosen by the budget"));
  EXPECT_THAT(io_.out(), HasSubstr("\nbudget:"));
  std::vector<std::string> as_json = words;
  as_json.insert(as_json.end(), {"-o", "json"});
  ASSERT_EQ(Run(as_json), kSucceeded);
  const json plan = json::parse(io_.out());
  EXPECT_EQ(plan["memory_bytes"], 400 << 20);
  EXPECT_LE(plan["memory"]["peak_bytes"], 400 << 20);
  EXPECT_GT(plan["ratio_low_groups"], 0);
  EXPECT_LT(plan["ratio_low_groups"], 1);
}

TEST_F(AppTest, SaysWhatWouldFitWhereABudgetCannotBeMet) {
  EXPECT_EQ(Run({"plan", "--local", "--model", "resnet18", "--classes", "10", "--memory", "1MiB"}),
            kRefused);
  EXPECT_THAT(io_.err(), HasSubstr("batch"));
  EXPECT_EQ(Run({"plan", "--local", "--model", "resnet18", "--classes", "10", "--memory", "1MiB",
                 "-r", "0.5"}),
            kRefused);
  EXPECT_THAT(io_.err(), HasSubstr("nothing with memory_bytes"));
}

TEST_F(AppTest, SubmitsMemoryAndItsCompany) {
  ASSERT_EQ(Run({"submit", "-m", "resnet18", "-d", "digits", "--memory", "1.5GiB", "--policy",
                 "budget", "--storage", "emulated", "--recipe", "bf16", "--recompute", "cheap",
                 "--optimizer-state", "bf16"}),
            kSucceeded)
      << io_.err();
  const v1::JobSpec spec = Submitted().spec();
  EXPECT_EQ(spec.precision().memory_bytes(), 1610612736);
  EXPECT_EQ(spec.precision().policy(), v1::POLICY_NAME_BUDGET);
  EXPECT_EQ(spec.precision().storage(), v1::STORAGE_EMULATED);
  EXPECT_EQ(spec.precision().recipe(), v1::RECIPE_BF16);
  EXPECT_EQ(spec.precision().recompute(), v1::RECOMPUTE_CHEAP);
  EXPECT_EQ(spec.training().optimizer_state(), v1::OPTIMIZER_STATE_BF16);
}

TEST_F(AppTest, RefusesRatioOutOfRangeWithoutServerToo) {
  EXPECT_EQ(Run({"plan", "--local", "--model", "resnet18", "--classes", "10", "-r", "1.5"}),
            kRefused);
  EXPECT_THAT(io_.err(), HasSubstr("low_ratio is 1.5; allowed 0.0 to 1.0"));
}

TEST_F(AppTest, LeavesOutRatioThatPolicyDoesNotUseAndSaysSo) {
  ASSERT_EQ(Run({"plan", "--local", "--model", "resnet18", "--classes", "10", "--policy",
                 "operator", "-o", "json"}),
            kSucceeded);
  const std::string without = io_.out();
  ASSERT_EQ(Run({"plan", "--local", "--model", "resnet18", "--classes", "10", "--policy",
                 "operator", "-o", "json", "--low-ratio", "0.5"}),
            kSucceeded);
  EXPECT_EQ(io_.out(), without);
  EXPECT_THAT(io_.err(), HasSubstr("--low-ratio has no effect with --policy operator"));
  EXPECT_EQ(Run({"plan", "--local", "--model", "resnet18", "--classes", "10", "--policy",
                 "operator", "--low-ratio", "1.5"}),
            kRefused);
}

TEST_F(AppTest, RefusesZeroWhereTheApiWouldReadTheDefault) {
  for (const char* flag : {"--width", "--classes", "--batch-size"}) {
    EXPECT_EQ(Run({"plan", "--local", "--model", "resnet18", flag, "0"}), kUsage) << flag;
    EXPECT_THAT(io_.err(), HasSubstr(absl::StrCat(flag, " is 0; allowed: above 0")));
  }
  for (const char* flag : {"--steps", "--epochs", "--batch-size", "--evaluate-every"}) {
    EXPECT_EQ(Run({"submit", "--model", "resnet18", "--dataset", "d", flag, "0"}), kUsage) << flag;
  }
  EXPECT_EQ(server_.Calls("SubmitJob"), 0);
  EXPECT_EQ(Run({"submit", "--model", "resnet18", "--dataset", "d", "--seed", "0", "--dry-run"}),
            kSucceeded);
}

TEST_F(AppTest, ExplainsEveryTensorWithoutServer) {
  EXPECT_EQ(Run({"explain", "--local", "--model", "squeezenet", "--classes", "10"}), kSucceeded);
  EXPECT_THAT(io_.out(), HasSubstr("REASON"));
  EXPECT_THAT(io_.out(), HasSubstr("fp(4,3,4)"));
}

TEST_F(AppTest, SubmitsWhatFlagsSay) {
  ASSERT_EQ(Run({"submit",     "-m",
                 "resnet18",   "-d",
                 "digits",     "--policy",
                 "explicit",   "--low-groups",
                 "0,3",        "--rounding",
                 "stochastic", "--epochs",
                 "3",          "--lr",
                 "nan",        "--dynamic-loss-scale",
                 "false",      "--labels",
                 "a=1,b=2",    "--name",
                 "n",          "--max-retries",
                 "0",          "--request-id",
                 "key"}),
            kSucceeded)
      << io_.err();
  const v1::SubmitJobRequest request = Submitted();
  EXPECT_EQ(request.request_id(), "key");
  const v1::JobSpec& spec = request.spec();
  EXPECT_EQ(spec.model().model(), "builtin:resnet18");
  EXPECT_EQ(spec.dataset(), "digits");
  EXPECT_EQ(spec.precision().policy(), v1::POLICY_NAME_EXPLICIT);
  EXPECT_THAT(spec.precision().low_groups(), ElementsAre(0, 3));
  EXPECT_EQ(spec.precision().rounding(), v1::ROUNDING_STOCHASTIC);
  EXPECT_TRUE(std::isnan(spec.training().learning_rate()));
  EXPECT_TRUE(spec.training().has_dynamic_loss_scale());
  EXPECT_FALSE(spec.training().has_momentum());
  EXPECT_EQ(spec.labels().at("b"), "2");
  EXPECT_TRUE(spec.has_max_retries());
  EXPECT_THAT(io_.out(), HasSubstr("Follow it: mantissa watch job-new"));
}

TEST_F(AppTest, ReadsJobFromFileAndFlagsOverrideIt) {
  const std::string path = Write("job.json", R"({"model": {"model": "builtin:squeezenet"},
      "dataset": "digits", "training": {"epochs": 5, "seed": 9}, "labels": {"a": "1"}})");
  ASSERT_EQ(Run({"submit", "-f", path, "--epochs", "7", "--labels", "a=2"}), kSucceeded);
  EXPECT_EQ(Submitted().spec().training().epochs(), 7);
  EXPECT_EQ(Submitted().spec().training().seed(), 9u);
  EXPECT_EQ(Submitted().spec().labels().at("a"), "2");
}

TEST_F(AppTest, DryRunPrintsJobThatCanBeReadBack) {
  const std::vector<std::string> flags = {"--model",     "squeezenet", "--dataset", "digits",
                                          "--low-ratio", "0.3",        "--dry-run"};
  std::vector<std::string> words = {"submit"};
  words.insert(words.end(), flags.begin(), flags.end());
  ASSERT_EQ(Run(words), kSucceeded);
  const std::string job = io_.out();
  EXPECT_EQ(server_.Calls("SubmitJob"), 0);
  io_.input = job;
  ASSERT_EQ(Run({"submit", "-f", "-", "--dry-run"}), kSucceeded);
  EXPECT_EQ(io_.out(), job);
}

TEST_F(AppTest, ReadsLowGroupsFromFileNamedWithAt) {
  const std::string path = Write("groups", "0\n3, 5\n");
  ASSERT_EQ(Run({"submit", "-m", "resnet18", "-d", "digits", "-p", "explicit", "--low-groups",
                 absl::StrCat("@", path)}),
            kSucceeded);
  EXPECT_THAT(Submitted().spec().precision().low_groups(), ElementsAre(0, 3, 5));
}

TEST_F(AppTest, NamesFileThatIsNoJob) {
  EXPECT_EQ(Run({"submit", "-f", Write("job.json", R"({"modle": 1})")}), kUsage);
  EXPECT_THAT(io_.err(), HasSubstr("job.json"));
  EXPECT_THAT(io_.err(), HasSubstr("modle"));
}

TEST_F(AppTest, UploadsWeightsThatJobStartsFrom) {
  const std::string path = Write("weights.safetensors", "weights");
  ASSERT_EQ(Run({"submit", "-m", "resnet18", "-d", "digits", "--init", path}), kSucceeded);
  const std::string hash = Sha256Hex("weights");
  EXPECT_EQ(Submitted().spec().training().init_sha256(), hash);
  absl::MutexLock lock(&server_.state().mutex);
  EXPECT_EQ(server_.state().blobs.at(hash).bytes, "weights");
}

TEST_F(AppTest, RepeatsSubmissionUnderTheSameKey) {
  server_.FailNext("SubmitJob", absl::UnavailableError("busy"));
  ASSERT_EQ(Run({"submit", "-m", "resnet18", "-d", "digits"}), kSucceeded);
  const std::string first = Submitted().request_id();
  EXPECT_EQ(first.size(), 32u);
  ASSERT_EQ(Run({"submit", "-m", "resnet18", "-d", "digits"}), kSucceeded);
  EXPECT_NE(Submitted(1).request_id(), first);
}

TEST_F(AppTest, SaysHowToPushDatasetThatIsMissing) {
  server_.FailNext("SubmitJob", MissingResourceError("dataset", "digits"));
  EXPECT_EQ(Run({"submit", "-m", "resnet18", "-d", "digits"}), kRefused);
  EXPECT_THAT(io_.err(), HasSubstr("mantissa dataset push digits PATH"));
  const std::string path = Write("digits.npz", "x");
  server_.FailNext("SubmitJob", MissingResourceError("dataset", path));
  EXPECT_EQ(Run({"submit", "-m", "resnet18", "-d", path}), kRefused);
  EXPECT_THAT(io_.err(), HasSubstr(absl::StrCat("mantissa dataset push NAME ", path)));
}

TEST_F(AppTest, WaitsForJobAndPrintsItAsJsonAlone) {
  AddJob("job-1", v1::JOB_STATE_SUCCEEDED);
  ASSERT_EQ(Run({"submit", "-m", "resnet18", "-d", "digits", "--wait", "-o", "json"}), kSucceeded);
  EXPECT_EQ(json::parse(io_.out())["state"], "JOB_STATE_SUCCEEDED");
  EXPECT_THAT(io_.err(), HasSubstr("evaluated after epoch"));
}

TEST_F(AppTest, WatchPrintsEachEventOnceAsJsonThroughBreaks) {
  AddJob("job-1", v1::JOB_STATE_SUCCEEDED, 30);
  server_.BreakWatchAfter({2, 7});
  ASSERT_EQ(Run({"watch", "job-1", "--after", "3", "-o", "json"}), kSucceeded);
  int64_t expected = 4;
  for (absl::string_view line : absl::StrSplit(io_.out(), '\n', absl::SkipEmpty())) {
    EXPECT_EQ(json::parse(std::string(line))["sequence"], expected++);
  }
  EXPECT_EQ(expected, TrainingEvents(30, v1::JOB_STATE_SUCCEEDED).back().sequence() + 1);
}

TEST_F(AppTest, WatchPrintsPlainLinesWithoutTerminal) {
  AddJob("job-1", v1::JOB_STATE_SUCCEEDED, 6);
  ASSERT_EQ(Run({"watch", "job-1"}), kSucceeded);
  EXPECT_THAT(io_.out(), Not(HasSubstr("\x1b")));
  EXPECT_THAT(io_.out(), HasSubstr("400 B in fp32; a step is predicted to need 100.0 KiB, "
                                   "1 operators recomputed\n"));
  EXPECT_THAT(io_.out(), HasSubstr("12:00:05 a step needed 101.0 KiB of tensors at its peak, "
                                   "predicted 100.0 KiB\n"));
  EXPECT_THAT(io_.out(), HasSubstr("12:00:06 step 1/6"));
  EXPECT_THAT(io_.out(), HasSubstr("promoted layer1.0.conv1"));
  EXPECT_THAT(io_.out(), HasSubstr("loss scale 65536 -> 32768 at step 3"));
  // Of the steps in the same second only those that something else follows, and the last.
  EXPECT_THAT(io_.out(), Not(HasSubstr("step 4/6")));
  EXPECT_THAT(io_.out(), HasSubstr("step 6/6"));
  EXPECT_THAT(io_.out(), HasSubstr("job-1 SUCCEEDED after 10.0 s: accuracy 95.21%"));
}

TEST_F(AppTest, WatchDrawsLiveViewOnTerminal) {
  AddJob("job-1", v1::JOB_STATE_SUCCEEDED, 6);
  io_.terminal = TerminalSize{.columns = 80, .rows = 40};
  ASSERT_EQ(Run({"watch", "job-1"}), kSucceeded);
  EXPECT_THAT(io_.out(), HasSubstr("\x1b[1mjob-1  SUCCEEDED"));
  EXPECT_THAT(io_.out(), HasSubstr("100%  step 6/6"));
  io_.environment["NO_COLOR"] = "1";
  ASSERT_EQ(Run({"watch", "job-1"}), kSucceeded);
  EXPECT_THAT(io_.out(), Not(HasSubstr("\x1b[1m")));
}

TEST_F(AppTest, DetachesOnInterruptAndSaysHowToComeBack) {
  AddJob("job-1", v1::JOB_STATE_RUNNING);
  std::thread interrupting([&] {
    while (server_.Calls("WatchJob") == 0) std::this_thread::yield();
    io_.stopping.request_stop();
  });
  const ExitCode code = Run({"watch", "job-1", "--server", server_.address()});
  interrupting.join();
  EXPECT_EQ(code, kDetached);
  EXPECT_THAT(io_.err(),
              HasSubstr(absl::StrCat("mantissa watch job-1 --server ", server_.address())));
  EXPECT_EQ(server_.Calls("CancelJob"), 0);
}

TEST_F(AppTest, PushSendsNothingTheSecondTime) {
  const std::string path = Write("digits.npz", "some bytes");
  ASSERT_EQ(Run({"dataset", "push", "digits", path}), kSucceeded) << io_.err();
  EXPECT_THAT(io_.err(), HasSubstr("10 B sent"));
  ASSERT_EQ(Run({"dataset", "push", "digits", path, "-o", "json"}), kSucceeded);
  EXPECT_THAT(io_.err(), HasSubstr("nothing sent"));
  EXPECT_EQ(json::parse(io_.out())["name"], "digits");
  EXPECT_EQ(server_.Calls("UploadBlob"), 1);
  EXPECT_EQ(Run({"dataset", "push", "digits", path + "x"}), kUsage);
}

TEST_F(AppTest, ListsWithFiltersAndAllPages) {
  for (int i = 0; i < 5; ++i) AddJob(absl::StrCat("job-", i), v1::JOB_STATE_SUCCEEDED);
  ASSERT_EQ(Run({"list", "--state", "failed,running", "--label", "team=vision", "--name", "de",
                 "--limit", "3", "-o", "json"}),
            kSucceeded);
  EXPECT_EQ(json::parse(io_.out())["jobs"].size(), 3u);
  {
    absl::MutexLock lock(&server_.state().mutex);
    const v1::ListJobsRequest& request = server_.state().listed.at(0);
    EXPECT_THAT(request.states(), ElementsAre(v1::JOB_STATE_FAILED, v1::JOB_STATE_RUNNING));
    EXPECT_EQ(request.labels().at("team"), "vision");
    EXPECT_EQ(request.name_prefix(), "de");
    EXPECT_EQ(request.page_size(), 3);
  }
  ASSERT_EQ(Run({"list", "--limit", "0", "-o", "json"}), kSucceeded);
  EXPECT_EQ(json::parse(io_.out())["jobs"].size(), 5u);
}

TEST_F(AppTest, CleansLogsUnlessAskedForRawBytes) {
  AddJob("job-1", v1::JOB_STATE_SUCCEEDED);
  const std::string log = "größe\n\x1b[31mred\rend";
  server_.SetLog("job-1", log);
  server_.BreakLogsAfter({1});
  ASSERT_EQ(Run({"logs", "-f", "job-1"}), kSucceeded);
  EXPECT_EQ(io_.out(), "größe\n\\x1b[31mred\\x0dend");
  ASSERT_EQ(Run({"logs", "job-1", "--raw"}), kSucceeded);
  EXPECT_EQ(io_.out(), log);
}

TEST_F(AppTest, FetchesArtifactToFileFolderOrOutput) {
  AddJob("job-1", v1::JOB_STATE_SUCCEEDED);
  server_.AddArtifact("job-1", "report.json", "{\"a\": 1}\n");
  ASSERT_EQ(Run({"fetch", "job-1", "report.json", "--to", "-"}), kSucceeded) << io_.err();
  EXPECT_EQ(io_.out(), "{\"a\": 1}\n");
  EXPECT_TRUE(io_.files().List(folder_.path())->empty());
  ASSERT_EQ(Run({"fetch", "job-1", "report.json", "--to", folder_.path()}), kSucceeded);
  EXPECT_THAT(*io_.files().List(folder_.path()), ElementsAre("report.json"));
  EXPECT_EQ(Run({"fetch", "job-1", "plan.json"}), kRefused);
}

TEST_F(AppTest, NeverPrintsNamesOfUsersRaw) {
  const std::vector<v1::JobEvent> events = TrainingEvents(2, v1::JOB_STATE_FAILED);
  v1::Job job = TrainedJob("job-1", events);
  job.mutable_spec()->set_name("evil\x1b[2J");
  job.mutable_spec()->set_dataset("evil\x1b[2J");
  job.mutable_failure()->set_message("evil\x1b[2J\r\n");
  server_.AddJob(job, events);
  for (const char* command : {"get", "watch", "cancel"}) {
    Run({command, "job-1"});
    EXPECT_THAT(io_.out(), Not(HasSubstr("\x1b"))) << command;
  }
  Run({"list"});
  EXPECT_THAT(io_.out(), HasSubstr("evil\\x1b[2J"));
  EXPECT_THAT(io_.out(), Not(HasSubstr("\x1b")));
}

TEST_F(AppTest, KeepsItsJsonAndTablesStable) {
  AddJob("job-1", v1::JOB_STATE_SUCCEEDED);
  AddJob("job-2", v1::JOB_STATE_FAILED);
  server_.AddArtifact("job-1", "report.json", "{}");
  ASSERT_EQ(Run({"get", "job-1", "-o", "json"}), kSucceeded);
  ExpectGolden("get.json", io_.out());
  ASSERT_EQ(Run({"get", "job-1"}), kSucceeded);
  ExpectGolden("get.txt", io_.out());
  ASSERT_EQ(Run({"list"}), kSucceeded);
  ExpectGolden("list.txt", io_.out());
  ASSERT_EQ(Run({"watch", "job-2", "-o", "json"}), kJobFailed);
  ExpectGolden("watch.jsonl", io_.out());
  ASSERT_EQ(Run({"model", "list", "--local", "-o", "json"}), kSucceeded);
  ExpectGolden("model_list.json", io_.out());
  ASSERT_EQ(Run({"submit", "-m", "resnet18", "-d", "digits", "--dry-run"}), kSucceeded);
  ExpectGolden("job_spec.json", io_.out());
}

TEST_F(AppTest, DrawsTheMemoryOfAStep) {
  AddJob("job-1", v1::JOB_STATE_SUCCEEDED);
  EXPECT_EQ(Run({"memory", "job-1"}), kRefused);
  EXPECT_THAT(io_.err(), HasSubstr("it was not measured yet"));
  server_.SetMemory("job-1", SteppedMemory(20));
  ASSERT_EQ(Run({"memory", "job-1"}), kSucceeded);
  ExpectGolden("memory.txt", io_.out());
  ASSERT_EQ(Run({"memory", "job-1", "-o", "json"}), kSucceeded);
  const json memory = json::parse(io_.out());
  EXPECT_EQ(memory["measured"]["peak_bytes"], (45 + 200 + 10) << 10);
  EXPECT_EQ(memory["measured"]["timeline"].size(), 41u);
  EXPECT_EQ(memory["baselines"][2]["measured"], false);
  EXPECT_EQ(Run({"memory", "job-9"}), kRefused);
}

TEST_F(AppTest, ColoursTheMemoryOfAStepOnATerminalUnlessTold) {
  AddJob("job-1", v1::JOB_STATE_SUCCEEDED);
  server_.SetMemory("job-1", SteppedMemory(20));
  io_.terminal = TerminalSize{.columns = 100, .rows = 50};
  ASSERT_EQ(Run({"memory", "job-1"}), kSucceeded);
  EXPECT_THAT(io_.out(), HasSubstr("\x1b[32m█"));
  io_.environment["NO_COLOR"] = "1";
  ASSERT_EQ(Run({"memory", "job-1"}), kSucceeded);
  EXPECT_THAT(io_.out(), Not(HasSubstr("\x1b")));
  EXPECT_THAT(io_.out(), HasSubstr("AAAA"));
}

TEST_F(AppTest, PrintsHelpWithoutServerOrArguments) {
  server_.Stop();
  EXPECT_EQ(Run({"--help"}), kSucceeded);
  EXPECT_THAT(io_.out(), HasSubstr("Exit codes:"));
  EXPECT_EQ(Run({"fetch", "--help"}), kSucceeded);
  EXPECT_THAT(io_.out(), HasSubstr("Usage: mantissa fetch JOB ARTIFACT [flags]"));
  EXPECT_EQ(Run({"--version"}), kSucceeded);
  EXPECT_THAT(io_.out(), StartsWith("mantissa "));
  EXPECT_EQ(Run({}), kUsage);
  EXPECT_EQ(Run({"dataset"}), kUsage);
  EXPECT_THAT(io_.err(), HasSubstr("dataset push"));
}

}  // namespace
}  // namespace mantissa::cli
