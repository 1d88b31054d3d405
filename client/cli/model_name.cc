#include "client/cli/model_name.h"

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "base/status.h"
#include "client/cc/model.h"
#include "client/cc/transfer.h"
#include "client/cli/text.h"
#include "client/cli/transfer_view.h"
#include "mantissa/v1/model.pb.h"

namespace mantissa::cli {
namespace {

absl::StatusOr<client::LocalFile> HashModel(const Invocation& run, const std::string& path) {
  if (!run.io().files().Exists(path)) {
    return absl::NotFoundError(absl::StrCat("there is no file ", Printable(path),
                                            " to take as a model; `mantissa model list` shows the "
                                            "models that have names."));
  }
  return client::HashFile(run.io().files(), path);
}

}  // namespace

bool IsModelFile(const std::string& name) {
  return absl::StrContains(name, '/') || absl::EndsWith(name, ".pt2") ||
         absl::EndsWith(name, ".onnx") || absl::EndsWith(name, ".pt");
}

absl::Status NameFile(Invocation& run, v1::ModelSpec* spec) {
  if (!IsModelFile(spec->model())) return absl::OkStatus();
  ASSIGN_OR_RETURN(const client::LocalFile file, HashModel(run, spec->model()));
  spec->set_model(client::ModelNameOf(file));
  spec->set_sha256(file.sha256);
  return absl::OkStatus();
}

absl::Status UploadIfFile(Invocation& run, v1::ModelSpec* spec) {
  if (!IsModelFile(spec->model())) return absl::OkStatus();
  ASSIGN_OR_RETURN(const client::LocalFile file, HashModel(run, spec->model()));
  v1::CreateModelRequest request;
  request.set_name(client::ModelNameOf(file));
  ASSIGN_OR_RETURN(client::Client * client, run.Connect());
  TransferView view(run.io(), "of the model sent");
  ASSIGN_OR_RETURN(const client::PushedModel pushed,
                   client::PushModel(*client, run.io().files(), file, request, view.Options()));
  view.Done();
  if (pushed.sent_bytes > 0) {
    run.io().Err(absl::StrCat("uploaded ", Printable(spec->model()), " as ",
                              Printable(pushed.model.name()), "\n"));
  }
  spec->set_model(pushed.model.name());
  spec->set_sha256(pushed.model.sha256());
  return absl::OkStatus();
}

}  // namespace mantissa::cli
