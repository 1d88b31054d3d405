#include "server/metrics/job_metrics.h"

#include <string>

#include "absl/strings/match.h"
#include "base/fake_clock.h"
#include "gtest/gtest.h"
#include "prometheus/registry.h"
#include "prometheus/text_serializer.h"

namespace mantissa::metrics {
namespace {

class JobMetricsTest : public testing::Test {
 protected:
  JobMetricsTest() { job_.set_id("job-1"); }

  std::string Scrape() {
    return prometheus::TextSerializer().Serialize(metrics_.registry()->Collect());
  }
  bool Has(const std::string& text) { return absl::StrContains(Scrape(), text); }

  void Step(int64_t step, bool skipped = false) {
    v1::JobEvent event;
    v1::StepDone& done = *event.mutable_step_done();
    done.set_step(step);
    done.set_loss_unrounded(0.5);
    done.set_loss_scale(65536);
    done.set_skipped(skipped);
    done.set_ratio_low_bits(0.25);
    done.mutable_duration()->set_nanos(30000000);
    job_.mutable_progress()->set_samples_per_second(100);
    observer_.OnEvent(job_, event);
  }
  void Change(v1::JobState to) {
    v1::JobEvent event;
    event.mutable_state_changed()->set_to(to);
    observer_.OnEvent(job_, event);
  }

  FakeClock clock_;
  Metrics metrics_;
  JobMetrics observer_{metrics_, clock_};
  v1::Job job_;
};

TEST_F(JobMetricsTest, ARunningJobHasItsSeries) {
  Change(v1::JOB_STATE_RUNNING);
  Step(1);
  EXPECT_TRUE(Has("mantissa_job_loss{job=\"job-1\"} 0.5")) << Scrape();
  EXPECT_TRUE(Has("mantissa_job_loss_scale{job=\"job-1\"} 65536"));
  EXPECT_TRUE(Has("mantissa_job_low_ratio{job=\"job-1\"} 0.25"));
  EXPECT_TRUE(Has("mantissa_job_samples_per_second{job=\"job-1\"} 100"));
  EXPECT_TRUE(Has("mantissa_job_last_step_timestamp_seconds{job=\"job-1\"} 1767225600"));
  EXPECT_TRUE(Has("mantissa_step_duration_seconds_bucket{job=\"job-1\",le=\"0.05\"} 1"));
}

TEST_F(JobMetricsTest, AFinishedJobsSeriesDisappearAndTheTotalsStay) {
  Change(v1::JOB_STATE_RUNNING);
  Step(1);
  Step(2, /*skipped=*/true);
  v1::JobEvent evaluated;
  evaluated.mutable_evaluated()->set_accuracy(0.75);
  observer_.OnEvent(job_, evaluated);
  EXPECT_TRUE(Has("mantissa_job_accuracy_ratio{job=\"job-1\",precision=\"assigned\"} 0.75"));
  Change(v1::JOB_STATE_SUCCEEDED);
  EXPECT_FALSE(Has("job-1")) << Scrape();
  EXPECT_TRUE(Has("mantissa_steps_total 2"));
  EXPECT_TRUE(Has("mantissa_skipped_steps_total 1"));
}

TEST_F(JobMetricsTest, AJobOfManyDoesNotTakeAnothersSeriesAlong) {
  Step(1);
  job_.set_id("job-2");
  Step(1);
  Change(v1::JOB_STATE_FAILED);
  EXPECT_TRUE(Has("job=\"job-1\""));
  EXPECT_FALSE(Has("job=\"job-2\""));
}

TEST_F(JobMetricsTest, MemoryHasSeriesByKindUntilTheJobEnds) {
  Change(v1::JOB_STATE_RUNNING);
  job_.mutable_progress()->set_peak_memory_bytes(700);
  Step(2);
  v1::JobEvent event;
  v1::JobMemory& memory = *event.mutable_memory_measured();
  memory.mutable_measured()->mutable_peak()->mutable_bytes()->set_activations(400);
  memory.mutable_predicted()->set_peak_bytes(710);
  observer_.OnEvent(job_, event);
  EXPECT_TRUE(Has("mantissa_job_peak_memory_bytes{job=\"job-1\"} 700")) << Scrape();
  EXPECT_TRUE(Has("mantissa_job_peak_memory_kind_bytes{job=\"job-1\",kind=\"activations\"} 400"));
  EXPECT_TRUE(Has("mantissa_job_peak_memory_kind_bytes{job=\"job-1\",kind=\"weights\"} 0"));
  EXPECT_TRUE(Has("mantissa_job_predicted_memory_bytes{job=\"job-1\"} 710"));
  EXPECT_FALSE(Has("mantissa_job_memory_budget_bytes{")) << "the job has none";
  memory.set_budget_bytes(800);
  observer_.OnEvent(job_, event);
  EXPECT_TRUE(Has("mantissa_job_memory_budget_bytes{job=\"job-1\"} 800"));
  Change(v1::JOB_STATE_SUCCEEDED);
  EXPECT_FALSE(Has("job-1")) << Scrape();
}

TEST_F(JobMetricsTest, PromotionsAreCountedByKind) {
  v1::JobEvent event;
  event.mutable_tensors_promoted()->add_tensors()->set_kind(v1::TENSOR_KIND_PARAMETER);
  event.mutable_tensors_promoted()->add_tensors()->set_kind(v1::TENSOR_KIND_ACTIVATION);
  event.mutable_tensors_promoted()->add_tensors()->set_kind(v1::TENSOR_KIND_ACTIVATION);
  observer_.OnEvent(job_, event);
  EXPECT_TRUE(Has("mantissa_tensor_promotions_total{kind=\"activation\"} 2")) << Scrape();
  EXPECT_TRUE(Has("mantissa_tensor_promotions_total{kind=\"parameter\"} 1"));
}

TEST_F(JobMetricsTest, CountersOfTroubleStartAtZero) {
  EXPECT_TRUE(Has("mantissa_worker_deaths_total{cause=\"worker_lost\"} 0")) << Scrape();
  EXPECT_TRUE(Has("mantissa_worker_starts_total 0"));
  observer_.OnWorkerStarted();
  observer_.OnWorkerDied(v1::FAILURE_CAUSE_WORKER_LOST);
  EXPECT_TRUE(Has("mantissa_worker_starts_total 1"));
  EXPECT_TRUE(Has("mantissa_worker_deaths_total{cause=\"worker_lost\"} 1"));
}

}  // namespace
}  // namespace mantissa::metrics
