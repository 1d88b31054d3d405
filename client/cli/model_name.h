// client/cli/model_name.h
//
// What people type for a model: a built-in name, with or without its kind, the name of an uploaded
// model, or a file that is one.
//
//   spec.set_model(FullModelName("resnet18"));          // "builtin:resnet18"
//   RETURN_IF_ERROR(UploadIfFile(run, *client, spec));  // "net.pt2" -> "net-3f9a1c7e"

#ifndef MANTISSA_CLIENT_CLI_MODEL_NAME_H_
#define MANTISSA_CLIENT_CLI_MODEL_NAME_H_

#include <string>

#include "absl/status/status.h"
#include "client/cli/invocation.h"
#include "mantissa/v1/common.pb.h"

namespace mantissa::cli {

// Whether `name` is a path: it has a slash, or ends as the files of models do.
bool IsModelFile(const std::string& name);

// Where `spec` names a file, names it as the server will: from its name and its hash. NotFound if
// there is none.
absl::Status NameFile(Invocation& run, v1::ModelSpec* spec);

// The same, and uploads it if the server does not have it.
absl::Status UploadIfFile(Invocation& run, v1::ModelSpec* spec);

}  // namespace mantissa::cli

#endif  // MANTISSA_CLIENT_CLI_MODEL_NAME_H_
