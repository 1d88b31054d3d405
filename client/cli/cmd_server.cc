#include "client/cli/cmd_server.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "base/status.h"
#include "client/cli/table.h"
#include "client/cli/text.h"
#include "mantissa/v1/server.pb.h"

namespace mantissa::cli {

absl::StatusOr<ExitCode> RunServerInfo(Invocation& run) {
  ASSIGN_OR_RETURN(client::Client * client, run.Connect());
  ASSIGN_OR_RETURN(const v1::ServerInfo info, client->GetServerInfo());
  run.Print(info, [&] {
    return RenderFacts({
        {"server", run.settings().connect.address},
        {"version", info.version()},
        {"API", absl::StrJoin(info.api_versions(), ", ")},
        {"jobs", absl::StrCat(info.running_jobs(), " of ", info.max_running_jobs(), " running, ",
                              info.queued_jobs(), " of ", info.max_queued_jobs(), " waiting")},
        {"largest file", Bytes(info.max_blob_bytes())},
        {"free disk", Bytes(info.free_disk_bytes())},
    });
  });
  return kSucceeded;
}

}  // namespace mantissa::cli
