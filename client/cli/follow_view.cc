#include "client/cli/follow_view.h"

#include <memory>
#include <string>
#include <thread>

#include "absl/base/thread_annotations.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "base/status.h"
#include "client/cc/errors.h"
#include "client/cc/follow.h"
#include "client/cli/event_text.h"
#include "client/cli/job_text.h"
#include "client/cli/job_view.h"
#include "client/cli/json.h"
#include "client/cli/live_view.h"
#include "client/cli/text.h"

namespace mantissa::cli {
namespace {

constexpr absl::Duration kRedrawEvery = absl::Milliseconds(200);
constexpr absl::Duration kStepLineEvery = absl::Seconds(1);

class Viewer {
 public:
  virtual ~Viewer() = default;
  virtual void Show(const v1::JobEvent& event) = 0;
  virtual void ShowBreak(const absl::Status& status) = 0;
};

class JsonViewer : public Viewer {
 public:
  explicit JsonViewer(Io& io) : io_(io) {}
  void Show(const v1::JobEvent& event) override { io_.Out(JsonLine(event)); }
  void ShowBreak(const absl::Status&) override {}

 private:
  Io& io_;
};

// A line for each thing that happens; of the steps, one a second and the last.
class LineViewer : public Viewer {
 public:
  LineViewer(Io& io, bool to_error) : io_(io), to_error_(to_error) {}
  ~LineViewer() override { FlushStep(); }

  void Show(const v1::JobEvent& event) override {
    if (event.has_step_done()) {
      ShowStep(event);
      return;
    }
    FlushStep();
    for (const std::string& text : EventTexts(event)) Print(EventLine(event, text));
  }

  void ShowBreak(const absl::Status& status) override {
    Print(absl::StrCat("connection lost, trying again: ", Printable(status.message()), "\n"));
  }

 private:
  void Print(const std::string& line) { to_error_ ? io_.Err(line) : io_.Out(line); }

  void ShowStep(const v1::JobEvent& event) {
    const double scale = event.step_done().loss_scale();
    if (scale_ != 0 && scale != scale_) {
      FlushStep();
      Print(EventLine(event, LossScaleText(scale_, event.step_done())));
    }
    scale_ = scale;
    held_ = event;
    const absl::Duration now = io_.clock().Monotonic();
    if (now - last_line_ >= kStepLineEvery) FlushStep();
  }

  void FlushStep() {
    if (!held_.has_step_done()) return;
    Print(EventLine(held_, StepText(held_.step_done())));
    held_.Clear();
    last_line_ = io_.clock().Monotonic();
  }

  Io& io_;
  const bool to_error_;
  double scale_ = 0;
  v1::JobEvent held_;  // a step that has not been printed
  absl::Duration last_line_ = -absl::InfiniteDuration();
};

// Redraws in a thread of its own, so that times go on while nothing happens.
class LiveViewer : public Viewer {
 public:
  LiveViewer(Io& io, const v1::Job& job, bool colour)
      : io_(io), colour_(colour), view_(job), drawer_([this] { DrawUntilDone(); }) {}

  ~LiveViewer() override {
    {
      absl::MutexLock lock(&mutex_);
      done_ = true;
    }
    drawer_.join();
  }

  void Show(const v1::JobEvent& event) override {
    absl::MutexLock lock(&mutex_);
    broken_.clear();
    view_.Apply(event);
  }

  void ShowBreak(const absl::Status& status) override {
    absl::MutexLock lock(&mutex_);
    broken_ = absl::StrCat("connection lost, trying again: ", Printable(status.message()));
  }

 private:
  void DrawUntilDone() {
    absl::MutexLock lock(&mutex_);
    bool done = false;
    while (!done) {
      done =
          io_.clock().AwaitUntil(mutex_, absl::Condition(&done_), io_.clock().Now() + kRedrawEvery);
      Draw();
    }
  }

  void Draw() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    const TerminalSize size = io_.Size();
    std::vector<std::string> lines = RenderLive(view_, size, io_.clock().Now());
    if (!broken_.empty()) lines.back() = Fit(broken_, size.columns - 1);
    io_.Out(screen_.Redraw(lines, size.columns, colour_));
  }

  Io& io_;
  const bool colour_;
  absl::Mutex mutex_;
  JobView view_ ABSL_GUARDED_BY(mutex_);
  Screen screen_ ABSL_GUARDED_BY(mutex_);
  std::string broken_ ABSL_GUARDED_BY(mutex_);
  bool done_ ABSL_GUARDED_BY(mutex_) = false;
  std::thread drawer_;  // last: it uses the others
};

std::unique_ptr<Viewer> MakeViewer(Io& io, const v1::Job& job, Show show) {
  if (show == Show::kJsonEvents) return std::make_unique<JsonViewer>(io);
  if (show == Show::kPeople && io.OutIsTerminal()) {
    const bool colour = io.Environment("NO_COLOR").value_or("").empty();
    return std::make_unique<LiveViewer>(io, job, colour);
  }
  return std::make_unique<LineViewer>(io, /*to_error=*/show == Show::kJsonResult);
}

ExitCode CodeOf(v1::JobState state) {
  switch (state) {
    case v1::JOB_STATE_SUCCEEDED:
      return kSucceeded;
    case v1::JOB_STATE_CANCELLED:
      return kJobCancelled;
    default:
      return kJobFailed;
  }
}

// How to come back to a job, with the server where it was named on the command line.
std::string WatchCommand(const Invocation& run, const std::string& id) {
  std::string command = absl::StrCat("mantissa watch ", Printable(id));
  if (run.arguments().Has("--server")) {
    absl::StrAppend(&command, " --server ", Printable(run.arguments().Get("--server")));
  }
  return command;
}

}  // namespace

absl::StatusOr<ExitCode> FollowToEnd(Invocation& run, client::Client& client, const v1::Job& job,
                                     const FollowChoice& choice) {
  Io& io = run.io();
  absl::Status followed;
  {
    const std::unique_ptr<Viewer> viewer = MakeViewer(io, job, choice.show);
    const client::FollowOptions options = {
        .after_sequence = choice.after_sequence,
        .stop = io.stop(),
        .on_break = [&](const absl::Status& status) { viewer->ShowBreak(status); }};
    followed = client::FollowJob(client, job.id(), options,
                                 [&](const v1::JobEvent& event) { viewer->Show(event); });
  }
  if (absl::IsCancelled(followed) && !client::IsFromCall(followed)) {
    io.Err(absl::StrCat("\nDetached; the job goes on. Come back with:\n  ",
                        WatchCommand(run, job.id()), "\n"));
    return kDetached;
  }
  RETURN_IF_ERROR(followed);
  v1::GetJobRequest request;
  request.set_id(job.id());
  ASSIGN_OR_RETURN(const v1::Job ended, client.GetJob(request));
  if (choice.show == Show::kJsonResult) io.Out(JsonText(ended));
  if (choice.show == Show::kPeople) {
    io.Out(absl::StrCat(Printable(ResultText(ended, io.clock().Now())), "\n"));
  }
  return CodeOf(ended.state());
}

}  // namespace mantissa::cli
