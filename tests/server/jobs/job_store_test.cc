#include "server/jobs/job_store.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/clock.h"
#include "base/temp_folder.h"
#include "gtest/gtest.h"
#include "tests/server/jobs/world.h"

namespace mantissa::jobs {
namespace {

class JobStoreTest : public testing::Test {
 protected:
  JobStoreTest() : world_(folder_.path(), "exit 0") { world_.AddDataset("digits"); }

  std::string Submit(const std::string& name, const std::string& team = "") {
    v1::SubmitJobRequest request = world_.Request("digits");
    request.mutable_spec()->set_name(name);
    if (!team.empty()) (*request.mutable_spec()->mutable_labels())["team"] = team;
    return world_.desk.Submit(request)->id();
  }

  std::vector<std::string> Names(const JobFilter& filter) {
    std::vector<std::string> names;
    const absl::StatusOr<JobPage> page = world_.store.List(filter, 0, 100);
    for (const v1::Job& job : page->jobs) names.push_back(job.spec().name());
    return names;
  }

  TempFolder folder_;
  World world_;
};

TEST_F(JobStoreTest, KnowsEveryJobAfterReopening) {
  const std::string id = Submit("first", "vision");
  World again(folder_.path(), "exit 0");
  const v1::Job job = again.MustGet(id);
  EXPECT_EQ(job.spec().name(), "first");
  EXPECT_EQ(job.spec().labels().at("team"), "vision");
  EXPECT_EQ(job.state(), v1::JOB_STATE_PENDING);
  EXPECT_EQ(job.last_sequence(), 1);
}

TEST_F(JobStoreTest, ListsTheNewestFirstInPages) {
  for (int i = 0; i < 5; ++i) Submit(absl::StrCat("job ", i));
  const JobPage first = *world_.store.List({}, 0, 2);
  ASSERT_EQ(first.jobs.size(), 2u);
  EXPECT_EQ(first.jobs[0].spec().name(), "job 4");
  const JobPage second = *world_.store.List({}, first.next_before, 2);
  ASSERT_EQ(second.jobs.size(), 2u);
  EXPECT_EQ(second.jobs[0].spec().name(), "job 2");
  const JobPage last = *world_.store.List({}, second.next_before, 2);
  ASSERT_EQ(last.jobs.size(), 1u);
  EXPECT_EQ(last.next_before, 0);
}

TEST_F(JobStoreTest, APageOfLargeJobsEndsBeforeItIsTooLargeForAMessage) {
  v1::SubmitJobRequest request = world_.Request("digits");
  for (int i = 0; i < 40000; ++i)
    request.mutable_spec()->mutable_precision()->add_low_groups(1 << 28);
  for (int i = 0; i < 12; ++i) ASSERT_TRUE(world_.desk.Submit(request).ok());
  const JobPage first = *world_.store.List({}, 0, 100);
  EXPECT_GT(first.jobs.size(), 1u);
  EXPECT_LT(first.jobs.size(), 12u);
  const JobPage last = *world_.store.List({}, first.next_before, 100);
  EXPECT_EQ(first.jobs.size() + last.jobs.size(), 12u);
  EXPECT_EQ(last.next_before, 0);
}

TEST_F(JobStoreTest, FiltersByStateLabelsAndNamePrefixTogether) {
  Submit("alpha", "vision");
  Submit("alphabet", "speech");
  const std::string beta = Submit("beta", "vision");
  ASSERT_TRUE(world_.desk.Cancel(beta).ok());
  using Names = std::vector<std::string>;
  EXPECT_EQ(this->Names({.name_prefix = "alpha"}), (Names{"alphabet", "alpha"}));
  EXPECT_EQ(this->Names({.labels = {{"team", "vision"}}}), (Names{"beta", "alpha"}));
  EXPECT_EQ(this->Names({.states = {v1::JOB_STATE_CANCELLED}}), (Names{"beta"}));
  EXPECT_EQ(this->Names({.states = {v1::JOB_STATE_PENDING}, .labels = {{"team", "vision"}}}),
            (Names{"alpha"}));
  EXPECT_EQ(this->Names({.name_prefix = "%"}), Names());
}

TEST_F(JobStoreTest, KeepsTheLastMemoryWithItsTimelineAfterReopening) {
  const std::string id = Submit("job");
  JobEdit edit = *world_.store.Load(id);
  ChangeState(v1::JOB_STATE_PLANNING, world_.clock.Now(), edit);
  ApplyReport(MemoryReport(1), world_.clock.Now(), edit);
  ASSERT_TRUE(world_.store.Save(edit).ok());
  // The last one holds.
  edit = *world_.store.Load(id);
  internal::v1::WorkerReport later = MemoryReport(2);
  later.mutable_memory_measured()->mutable_measured()->set_peak_bytes(950);
  ApplyReport(later, world_.clock.Now(), edit);
  ASSERT_TRUE(world_.store.Save(edit).ok());

  World again(folder_.path(), "exit 0");
  const absl::StatusOr<v1::JobMemory> memory = again.desk.Memory(id);
  ASSERT_TRUE(memory.ok()) << memory.status();
  EXPECT_EQ(memory->measured().peak_bytes(), 950);
  EXPECT_EQ(memory->measured().timeline_size(), 1);
  EXPECT_EQ(memory->device(), "cpu");
  const v1::Job job = again.MustGet(id);
  EXPECT_EQ(job.memory().measured().peak_bytes(), 950);
  EXPECT_EQ(job.memory().measured().timeline_size(), 0);
  EXPECT_EQ(again.store.List({}, 0, 10)->jobs[0].memory().predicted().peak_bytes(), 1000);
}

TEST_F(JobStoreTest, SaysWhenMemoryWillBeMeasured) {
  const std::string id = Submit("job");
  const absl::Status early = world_.desk.Memory(id).status();
  EXPECT_EQ(early.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_NE(early.message().find("after its second step"), std::string::npos) << early;
  EXPECT_FALSE(world_.MustGet(id).has_memory());
  ASSERT_TRUE(world_.desk.Cancel(id).ok());
  const absl::Status late = world_.desk.Memory(id).status();
  EXPECT_NE(late.message().find("ended before its first steps"), std::string::npos) << late;
  EXPECT_EQ(world_.desk.Memory("job-none").status().code(), absl::StatusCode::kNotFound);
}

TEST_F(JobStoreTest, GivesEventsInOrderFromAnySequence) {
  const std::string id = Submit("job");
  JobEdit edit = *world_.store.Load(id);
  for (int i = 0; i < 10; ++i) AddNotice(absl::StrCat("notice ", i), world_.clock.Now(), edit);
  ASSERT_TRUE(world_.store.Save(edit).ok());
  const std::vector<v1::JobEvent> events = *world_.store.EventsAfter(id, 4, 3);
  ASSERT_EQ(events.size(), 3u);
  EXPECT_EQ(events[0].sequence(), 5);
  EXPECT_EQ(events[2].sequence(), 7);
}

TEST_F(JobStoreTest, SavesNothingOfAnEditWhoseEventsClash) {
  const std::string id = Submit("job");
  JobEdit first = *world_.store.Load(id);
  JobEdit second = first;
  AddNotice("first", world_.clock.Now(), first);
  ASSERT_TRUE(world_.store.Save(first).ok());
  second.retries = 7;
  AddNotice("second", world_.clock.Now(), second);
  EXPECT_FALSE(world_.store.Save(second).ok());
  EXPECT_EQ(world_.store.Load(id)->retries, 0);
}

TEST_F(JobStoreTest, NamesTheJobThatIsNotThere) {
  const absl::Status status = world_.store.Load("job-none").status();
  EXPECT_EQ(status.code(), absl::StatusCode::kNotFound);
  EXPECT_NE(status.message().find("job-none"), std::string::npos);
}

// In a child: saves events as fast as it can and writes the sequence of each that is kept.
[[noreturn]] void SaveForEver(const std::string& folder, const std::string& id, int fd) {
  const auto state = World::Open(folder);
  JobStore store(*state);
  while (true) {
    JobEdit edit = *store.Load(id);
    for (int i = 0; i < 3; ++i) AddNotice("x", absl::UnixEpoch(), edit);
    if (!store.Save(edit).ok()) _exit(1);
    const int64_t sequence = edit.job.last_sequence();
    if (write(fd, &sequence, sizeof(sequence)) != sizeof(sequence)) _exit(1);
  }
}

TEST_F(JobStoreTest, KilledBetweenWritesKeepsWhatWasAcknowledgedWithoutGap) {
  const std::string id = Submit("job");
  int64_t acknowledged = 1;
  for (const int milliseconds : {5, 11, 23, 47}) {
    int fds[2];
    ASSERT_EQ(pipe(fds), 0);
    const pid_t child = fork();
    if (child == 0) SaveForEver(folder_.path(), id, fds[1]);
    close(fds[1]);
    // At least one save, then a moment more.
    ASSERT_EQ(read(fds[0], &acknowledged, sizeof(acknowledged)), 8);
    RealClock().SleepFor(absl::Milliseconds(milliseconds));
    kill(child, SIGKILL);
    waitpid(child, nullptr, 0);
    int64_t sequence = 0;
    while (read(fds[0], &sequence, sizeof(sequence)) == 8) acknowledged = sequence;
    close(fds[0]);

    World again(folder_.path(), "exit 0");
    const std::vector<v1::JobEvent> events = again.Events(id);
    EXPECT_GE(static_cast<int64_t>(events.size()), acknowledged);
    EXPECT_EQ(again.MustGet(id).last_sequence(), static_cast<int64_t>(events.size()));
    for (size_t i = 0; i < events.size(); ++i) {
      ASSERT_EQ(events[i].sequence(), static_cast<int64_t>(i + 1));
    }
  }
}

}  // namespace
}  // namespace mantissa::jobs
