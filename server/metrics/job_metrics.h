// server/metrics/job_metrics.h
//
// Turns what happens to jobs into metrics.
//
//   JobMetrics observer(metrics, clock);
//   jobs::JobLedger ledger(store, notifier, observer);
//
// Thread-safe.
#ifndef MANTISSA_SERVER_METRICS_JOB_METRICS_H_
#define MANTISSA_SERVER_METRICS_JOB_METRICS_H_

#include <string>

#include "base/clock.h"
#include "mantissa/v1/job.pb.h"
#include "server/jobs/observer.h"
#include "server/metrics/metrics.h"

namespace mantissa::metrics {

class JobMetrics : public jobs::Observer {
 public:
  JobMetrics(Metrics& metrics, Clock& clock);

  void OnEvent(const v1::Job& job, const v1::JobEvent& event) override;
  void OnWorkerStarted() override;
  void OnWorkerDied(v1::FailureCause cause) override;
  void OnUploaded(int64_t bytes) override;

 private:
  void OnStep(const v1::Job& job, const v1::StepDone& step);
  void OnEvaluation(const std::string& job, const v1::Evaluation& evaluation);
  void OnPromotion(const v1::Job& job, const v1::TensorsPromoted& promoted);
  void OnMemory(const std::string& job, const v1::JobMemory& memory);
  void RemoveSeries(const std::string& job);

  Metrics& metrics_;
  Clock& clock_;
};

}  // namespace mantissa::metrics

#endif  // MANTISSA_SERVER_METRICS_JOB_METRICS_H_
