// client/cli/job_view.h
//
// What is known of a job that one follows, event by event.
//
//   JobView view(job);
//   view.Apply(event);
//   view.TimeLeft(clock.Now());

#ifndef MANTISSA_CLIENT_CLI_JOB_VIEW_H_
#define MANTISSA_CLIENT_CLI_JOB_VIEW_H_

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "client/cli/series.h"
#include "mantissa/v1/job.pb.h"

namespace mantissa::cli {

// Not thread-safe.
class JobView {
 public:
  // `job` as the server has it; its events come on top.
  explicit JobView(const v1::Job& job);

  // Takes over an event. REQUIRES: each once, in order.
  void Apply(const v1::JobEvent& event);

  const v1::Job& job() const { return job_; }
  v1::JobState state() const { return job_.state(); }
  const v1::StepDone& last_step() const { return last_step_; }
  const std::optional<v1::Evaluation>& evaluation() const { return evaluation_; }
  const Series& losses() const { return losses_; }
  const Series& accuracies() const { return accuracies_; }
  // Of the steps up to the last one: a job that goes on from a checkpoint does some again.
  int64_t promoted() const { return static_cast<int64_t>(promoted_.size()); }
  int64_t skipped() const { return static_cast<int64_t>(skipped_.size()); }
  // What happened lately, one line each, the newest last; not yet made printable.
  const std::deque<std::string>& remarks() const { return remarks_; }

  // 0 to 1.
  double Progress() const;
  // From the last steps' times; nullopt where they do not tell.
  std::optional<double> StepsPerSecond() const;
  std::optional<double> SamplesPerSecond() const;
  std::optional<absl::Duration> TimeLeft(absl::Time now) const;
  // Since its start, up to its end.
  absl::Duration Elapsed(absl::Time now) const;

 private:
  void ApplyState(const v1::JobEvent& event);
  void ApplyStep(const v1::JobEvent& event);
  void ApplyPromotions(const v1::TensorsPromoted& promotions);
  void Remark(std::string text);

  struct StepTime {
    int64_t step;
    absl::Time time;
    int64_t samples;
  };

  v1::Job job_;
  v1::StepDone last_step_;
  std::optional<v1::Evaluation> evaluation_;
  Series losses_, accuracies_;
  // Steps in ascending order: of each promoted tensor, and those that were skipped.
  std::vector<int64_t> promoted_, skipped_;
  absl::Time start_, end_;
  std::deque<StepTime> step_times_;
  std::deque<std::string> remarks_;
};

}  // namespace mantissa::cli

#endif  // MANTISSA_CLIENT_CLI_JOB_VIEW_H_
