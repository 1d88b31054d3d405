#include "client/cli/cmd_submit.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "base/status.h"
#include "base/token.h"
#include "client/cc/errors.h"
#include "client/cc/transfer.h"
#include "client/cli/follow_view.h"
#include "client/cli/job_text.h"
#include "client/cli/json.h"
#include "client/cli/model_name.h"
#include "client/cli/precision.h"
#include "client/cli/text.h"
#include "client/cli/transfer_view.h"
#include "mantissa/v1/job.pb.h"

namespace mantissa::cli {
namespace {

constexpr int64_t kLargestJobFile = 4 << 20;

// The job of -f, if there is one.
absl::Status ReadJob(Invocation& run, v1::JobSpec* spec) {
  const std::string path = run.arguments().Get("--file");
  if (path.empty()) return absl::OkStatus();
  auto text = path == "-" ? run.io().In() : run.io().files().Read(path, kLargestJobFile);
  RETURN_IF_ERROR(text);
  return Annotate(ParseJson(*text, spec), path);
}

absl::Status CheckComplete(const v1::JobSpec& spec) {
  if (spec.model().model().empty()) {
    return absl::InvalidArgumentError(
        "--model is missing; `mantissa model list` shows the models there are.");
  }
  if (spec.dataset().empty()) {
    return absl::InvalidArgumentError(
        "--dataset is missing; `mantissa dataset list` shows those there are, `mantissa dataset "
        "push NAME PATH` makes one.");
  }
  return absl::OkStatus();
}

// Uploads the weights of --init and names them in the job.
absl::Status UploadWeights(Invocation& run, client::Client& client,
                           const client::LocalFile& weights) {
  TransferView view(run.io(), "of the weights sent");
  return client::UploadFile(client, run.io().files(), weights, view.Options()).status();
}

// Whether `details` are about the name of the data set, of which `is_path` says what it is.
bool IsAboutDataset(const client::ErrorDetails& details, bool is_path) {
  if (details.resource_type == "dataset") return true;
  if (!is_path) return false;  // it is there, and does not fit
  return !details.violations.empty() && (details.violations.front().subject == "spec.dataset" ||
                                         details.violations.front().subject == "dataset");
}

// The error for an unknown data set, or for a path in place of its name, says how to push it.
absl::Status WithRemedy(const Invocation& run, const v1::JobSpec& spec,
                        const absl::Status& status) {
  const bool is_path = run.io().files().Exists(spec.dataset());
  if (!IsAboutDataset(client::DetailsOf(status), is_path)) return status;
  const std::string remedy =
      is_path
          ? absl::StrCat("--dataset takes a name, and ", spec.dataset(),
                         " is a path. Push it first: mantissa dataset push NAME ", spec.dataset())
          : absl::StrCat("Push it first: mantissa dataset push ", spec.dataset(), " PATH");
  return client::AsFromCall(
      absl::Status(status.code(), absl::StrCat(status.message(), "\n  ", remedy)));
}

ExitCode PrintJob(const Invocation& run, const v1::Job& job) {
  run.Print(job, [&] {
    return absl::StrCat("submitted ", Printable(job.id()), " (", StateName(job.state()),
                        ")\nFollow it: mantissa watch ", Printable(job.id()), "\n");
  });
  return kSucceeded;
}

}  // namespace

absl::StatusOr<ExitCode> RunSubmit(Invocation& run) {
  v1::SubmitJobRequest request;
  v1::JobSpec& spec = *request.mutable_spec();
  RETURN_IF_ERROR(ReadJob(run, &spec));
  RETURN_IF_ERROR(run.Fill(&spec));
  if (spec.has_precision()) DropUnusedRatio(run.io(), spec.mutable_precision());
  RETURN_IF_ERROR(CheckComplete(spec));
  const Arguments& arguments = run.arguments();
  client::LocalFile weights;
  if (arguments.Has("--init")) {
    ASSIGN_OR_RETURN(weights, client::HashFile(run.io().files(), arguments.Get("--init")));
    spec.mutable_training()->set_init_sha256(weights.sha256);
  }
  if (arguments.Has("--dry-run")) {
    RETURN_IF_ERROR(NameFile(run, spec.mutable_model()));
    run.PrintJson(spec);
    return kSucceeded;
  }
  ASSIGN_OR_RETURN(client::Client * client, run.Connect());
  RETURN_IF_ERROR(UploadIfFile(run, spec.mutable_model()));
  if (arguments.Has("--init")) RETURN_IF_ERROR(UploadWeights(run, *client, weights));
  // With a key the call is safe to repeat.
  request.set_request_id(arguments.Get("--request-id", RandomToken(16)));
  const auto job = client->SubmitJob(request);
  if (!job.ok()) return WithRemedy(run, spec, job.status());
  if (!arguments.Has("--wait")) return PrintJob(run, *job);
  run.io().Err(absl::StrCat("submitted ", Printable(job->id()), "\n"));
  return FollowToEnd(run, *client, *job,
                     {.show = run.settings().json ? Show::kJsonResult : Show::kPeople});
}

}  // namespace mantissa::cli
