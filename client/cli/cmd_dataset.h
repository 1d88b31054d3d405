// client/cli/cmd_dataset.h
//
// `mantissa dataset push`, `list`, `describe`, `rm`.

#ifndef MANTISSA_CLIENT_CLI_CMD_DATASET_H_
#define MANTISSA_CLIENT_CLI_CMD_DATASET_H_

#include "absl/status/statusor.h"
#include "client/cli/exit_code.h"
#include "client/cli/invocation.h"

namespace mantissa::cli {

absl::StatusOr<ExitCode> RunDatasetPush(Invocation& run);
absl::StatusOr<ExitCode> RunDatasetList(Invocation& run);
absl::StatusOr<ExitCode> RunDatasetDescribe(Invocation& run);
absl::StatusOr<ExitCode> RunDatasetRemove(Invocation& run);

}  // namespace mantissa::cli

#endif  // MANTISSA_CLIENT_CLI_CMD_DATASET_H_
