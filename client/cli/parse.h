// client/cli/parse.h
//
// Words of a command line -> Arguments, by the tables.
//
//   ASSIGN_OR_RETURN(Arguments arguments, Parse(Commands(), {"get", "job-1", "-o", "json"}));

#ifndef MANTISSA_CLIENT_CLI_PARSE_H_
#define MANTISSA_CLIENT_CLI_PARSE_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "client/cli/command.h"

namespace mantissa::cli {

// InvalidArgument says what is not understood and which command's help tells more. Missing
// positionals and flags' values are not looked at if --help or --version is given.
absl::StatusOr<Arguments> Parse(absl::Span<const Command> commands,
                                const std::vector<std::string>& words);

// The entry of `known` that is most like `word`; empty if none is near.
std::string Nearest(const std::string& word, const std::vector<std::string>& known);

}  // namespace mantissa::cli

#endif  // MANTISSA_CLIENT_CLI_PARSE_H_
