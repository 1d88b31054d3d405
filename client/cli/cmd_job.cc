#include "client/cli/cmd_job.h"

#include <algorithm>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "base/file.h"
#include "base/scratch_folder.h"
#include "base/status.h"
#include "client/cc/follow.h"
#include "client/cc/transfer.h"
#include "client/cli/follow_view.h"
#include "client/cli/job_text.h"
#include "client/cli/table.h"
#include "client/cli/text.h"
#include "client/cli/transfer_view.h"
#include "mantissa/v1/job.pb.h"

namespace mantissa::cli {
namespace {

constexpr int64_t kLargestPage = 1000;
constexpr int64_t kLargestPrinted = int64_t{1} << 31;

absl::StatusOr<v1::Job> GetJob(client::Client& client, const std::string& id) {
  v1::GetJobRequest request;
  request.set_id(id);
  return client.GetJob(request);
}

// Pages until `limit` jobs are there; 0: all.
absl::StatusOr<v1::ListJobsResponse> ListSome(client::Client& client, v1::ListJobsRequest request,
                                              int64_t limit) {
  v1::ListJobsResponse all;
  while (true) {
    const int64_t room = limit == 0 ? kLargestPage : limit - all.jobs_size();
    request.set_page_size(static_cast<int32_t>(std::min(room, kLargestPage)));
    ASSIGN_OR_RETURN(const v1::ListJobsResponse page, client.ListJobs(request));
    all.mutable_jobs()->MergeFrom(page.jobs());
    all.set_next_page_token(page.next_page_token());
    const bool full = limit > 0 && all.jobs_size() >= limit;
    if (full || page.next_page_token().empty()) return all;
    request.set_page_token(page.next_page_token());
  }
}

std::string JobTable(const v1::ListJobsResponse& all, absl::Time now) {
  Table table({{"JOB"},
               {"NAME"},
               {"STATE"},
               {"MODEL"},
               {"DATA SET"},
               {"PRECISION"},
               {"STEP", Table::kRight},
               {"ACCURACY", Table::kRight},
               {"RUN TIME", Table::kRight},
               {"SUBMITTED"}});
  for (const v1::Job& job : all.jobs()) {
    const v1::JobProgress& progress = job.progress();
    table.AddRow(
        {job.id(), job.spec().name(), StateName(job.state()),
         std::string(absl::StripPrefix(job.spec().model().model(), "builtin:")),
         job.spec().dataset(), PolicyText(job.spec().precision()),
         job.has_progress() ? absl::StrCat(progress.step(), "/", progress.total_steps()) : "-",
         progress.evaluation().has_accuracy() ? Percent(progress.evaluation().accuracy()) : "-",
         job.has_start_time() ? Span(RunTime(job, now)) : "-", Moment(TimeOf(job.create_time()))});
  }
  return table.Render();
}

// Prints whole lines, so that no character is cut where it is made printable.
class LogPrinter {
 public:
  LogPrinter(Io& io, bool raw) : io_(io), raw_(raw) {}
  ~LogPrinter() { Flush(held_.size()); }

  void Print(absl::string_view bytes) {
    absl::StrAppend(&held_, bytes);
    const size_t end = held_.rfind('\n');
    if (raw_ || held_.size() > kLongestLine) {
      Flush(held_.size());
    } else if (end != std::string::npos) {
      Flush(end + 1);
    }
  }

 private:
  static constexpr size_t kLongestLine = 64 << 10;

  void Flush(size_t size) {
    if (size == 0) return;
    const std::string text = held_.substr(0, size);
    io_.Out(raw_ ? text : PrintableLines(text));
    held_.erase(0, size);
  }

  Io& io_;
  const bool raw_;
  std::string held_;
};

// Where an artifact goes: `to` itself, or the artifact's name in that folder.
std::string Destination(FileSystem& files, const std::string& to, const std::string& artifact) {
  const std::string name = BaseName(artifact);
  if (to.empty()) return name;
  return files.IsFolder(to) ? JoinPath(to, name) : to;
}

absl::StatusOr<ExitCode> FetchToOutput(Invocation& run, client::Client& client) {
  const auto temp = run.io().Environment("TMPDIR");
  ASSIGN_OR_RETURN(const ScratchFolder scratch,
                   ScratchFolder::Make(temp.has_value() && !temp->empty() ? *temp : "/tmp"));
  const std::string path = JoinPath(scratch.path(), "artifact");
  FileSystem& files = run.io().files();
  TransferView view(run.io(), "fetched");
  RETURN_IF_ERROR(
      client::FetchFile(client, files, run.Positional(0), run.Positional(1), path, view.Options()));
  view.Done();
  ASSIGN_OR_RETURN(const std::string bytes, files.Read(path, kLargestPrinted));
  run.io().Out(bytes);
  return kSucceeded;
}

}  // namespace

absl::StatusOr<ExitCode> RunList(Invocation& run) {
  v1::ListJobsRequest request;
  RETURN_IF_ERROR(run.Fill(&request));
  ASSIGN_OR_RETURN(const int64_t limit, run.Number("--limit", 100));
  ASSIGN_OR_RETURN(client::Client * client, run.Connect());
  ASSIGN_OR_RETURN(const v1::ListJobsResponse all, ListSome(*client, request, limit));
  run.Print(all, [&] { return JobTable(all, run.io().clock().Now()); });
  if (!run.settings().json && !all.next_page_token().empty()) {
    run.io().Err(absl::StrCat("There are more; --limit 0 lists all.\n"));
  }
  return kSucceeded;
}

absl::StatusOr<ExitCode> RunGet(Invocation& run) {
  ASSIGN_OR_RETURN(client::Client * client, run.Connect());
  ASSIGN_OR_RETURN(const v1::Job job, GetJob(*client, run.Positional(0)));
  run.Print(job, [&] { return JobText(job, run.io().clock().Now()); });
  return kSucceeded;
}

absl::StatusOr<ExitCode> RunCancel(Invocation& run) {
  v1::CancelJobRequest request;
  request.set_id(run.Positional(0));
  ASSIGN_OR_RETURN(client::Client * client, run.Connect());
  ASSIGN_OR_RETURN(const v1::Job job, client->CancelJob(request));
  run.Print(job, [&] {
    const bool ended = job.state() == v1::JOB_STATE_CANCELLED;
    return absl::StrCat(Printable(job.id()), ended ? " is cancelled" : " is being cancelled", "\n");
  });
  return kSucceeded;
}

absl::StatusOr<ExitCode> RunWatch(Invocation& run) {
  ASSIGN_OR_RETURN(const int64_t after, run.Number("--after", 0));
  ASSIGN_OR_RETURN(client::Client * client, run.Connect());
  ASSIGN_OR_RETURN(const v1::Job job, GetJob(*client, run.Positional(0)));
  return FollowToEnd(
      run, *client, job,
      {.after_sequence = after, .show = run.settings().json ? Show::kJsonEvents : Show::kPeople});
}

absl::StatusOr<ExitCode> RunLogs(Invocation& run) {
  client::LogOptions options;
  options.follow = run.arguments().Has("--follow");
  options.stop = run.io().stop();
  ASSIGN_OR_RETURN(options.offset, run.Number("--offset", 0));
  options.on_break = [&](const absl::Status& status) {
    run.io().Err(
        absl::StrCat("connection lost, trying again: ", Printable(status.message()), "\n"));
  };
  ASSIGN_OR_RETURN(client::Client * client, run.Connect());
  // Tells at once whether the server and the job are there: a stream would be tried for long.
  RETURN_IF_ERROR(GetJob(*client, run.Positional(0)));
  LogPrinter printer(run.io(), run.arguments().Has("--raw"));
  RETURN_IF_ERROR(client::ReadLogs(*client, run.Positional(0), options,
                                   [&](absl::string_view bytes) { printer.Print(bytes); }));
  return kSucceeded;
}

absl::StatusOr<ExitCode> RunFetch(Invocation& run) {
  ASSIGN_OR_RETURN(client::Client * client, run.Connect());
  const std::string to = run.arguments().Get("--to");
  if (to == "-") return FetchToOutput(run, *client);
  FileSystem& files = run.io().files();
  const std::string path = Destination(files, to, run.Positional(1));
  TransferView view(run.io(), "fetched");
  RETURN_IF_ERROR(client::FetchFile(*client, files, run.Positional(0), run.Positional(1), path,
                                    view.Options()));
  view.Done();
  run.io().Err(absl::StrCat("wrote ", Printable(path), "\n"));
  return kSucceeded;
}

}  // namespace mantissa::cli
