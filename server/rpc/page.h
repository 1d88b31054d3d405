// server/rpc/page.h
//
// Page sizes and page tokens. A token is opaque to clients; it is bound to the call it came from.
//
//   ASSIGN_OR_RETURN(int limit, PageSize(request.page_size()));
//   ASSIGN_OR_RETURN(std::string after, ParsePageToken("datasets", request.page_token()));
//   response.set_next_page_token(MakePageToken("datasets", last_name));
#ifndef MANTISSA_SERVER_RPC_PAGE_H_
#define MANTISSA_SERVER_RPC_PAGE_H_

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace mantissa::rpc {

// 100 for 0. INVALID_ARGUMENT outside 0 to 1,000.
absl::StatusOr<int> PageSize(int given);

std::string MakePageToken(absl::string_view call, absl::string_view position);

// The position in it; empty for an empty token. INVALID_ARGUMENT if the call did not make it.
absl::StatusOr<std::string> ParsePageToken(absl::string_view call, absl::string_view token);

}  // namespace mantissa::rpc

#endif  // MANTISSA_SERVER_RPC_PAGE_H_
