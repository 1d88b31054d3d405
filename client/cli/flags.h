// client/cli/flags.h
//
// The table of flags: every flag of every command, once.
//
//   Command{.flags = Join(ModelFlags(""), {&kFlagLocal}), ...}

#ifndef MANTISSA_CLIENT_CLI_FLAGS_H_
#define MANTISSA_CLIENT_CLI_FLAGS_H_

#include <vector>

#include "client/cli/flag.h"

namespace mantissa::cli {

using FlagList = std::vector<const Flag*>;

// Flags of every command: --server, --token-file, --tls-ca, --timeout, --output, --help, --version.
const FlagList& GlobalFlags();

const FlagList& PlanFlags();           // of a PlanRequest, without --local
const FlagList& LocalFlags();          // --local
const FlagList& DescribeModelFlags();  // of a GetModelRequest
const FlagList& PushFlags();           // of a CreateDatasetRequest
const FlagList& SubmitFlags();         // of a JobSpec
const FlagList& SubmitOnlyFlags();     // --file, --init, --request-id, --wait, --dry-run
const FlagList& ListFlags();           // of a ListJobsRequest
const FlagList& WatchFlags();
const FlagList& LogsFlags();
const FlagList& FetchFlags();

// All in one list, in the order given.
FlagList Join(std::initializer_list<FlagList> lists);

}  // namespace mantissa::cli

#endif  // MANTISSA_CLIENT_CLI_FLAGS_H_
