#include "client/cli/error_text.h"

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "client/cc/errors.h"
#include "client/cli/text.h"

namespace mantissa::cli {
namespace {

using client::ErrorDetails;

// What helps against an error of this kind, where the server does not say.
std::string Remedy(const absl::Status& status) {
  switch (status.code()) {
    case absl::StatusCode::kUnavailable:
      return "Start one with `mantissad --data-dir DIR`, name another with --server HOST:PORT or "
             "MANTISSA_SERVER, or give --tls-ca FILE if it encrypts.";
    case absl::StatusCode::kDeadlineExceeded:
      return "Give it more time with --timeout.";
    case absl::StatusCode::kUnauthenticated:
      return "Show the server's token with --token-file FILE or MANTISSA_TOKEN.";
    default:
      return "";
  }
}

// The kind of trouble, where the message alone does not say it.
absl::string_view Heading(const absl::Status& status) {
  if (!client::IsFromCall(status)) return "";
  switch (status.code()) {
    case absl::StatusCode::kUnavailable:
    case absl::StatusCode::kDeadlineExceeded:
      return "not reachable: ";
    case absl::StatusCode::kInternal:
    case absl::StatusCode::kUnknown:
    case absl::StatusCode::kDataLoss:
      return "the server failed: ";
    case absl::StatusCode::kUnauthenticated:
    case absl::StatusCode::kPermissionDenied:
      return "not allowed: ";
    default:
      return "refused: ";
  }
}

}  // namespace

ExitCode ExitCodeOf(const absl::Status& status) {
  if (client::IsUnreachable(status)) return kNotReachable;
  if (client::IsFromCall(status)) return kRefused;
  if (absl::IsCancelled(status)) return kDetached;
  return kUsage;
}

std::string RenderError(const absl::Status& status) {
  const ErrorDetails details = client::DetailsOf(status);
  std::string text =
      absl::StrCat("mantissa: ", Heading(status), PrintableLines(status.message()), "\n");
  for (const auto& violation : details.violations) {
    // Servers often say it in the message too.
    if (absl::StrContains(status.message(), violation.description)) continue;
    absl::StrAppend(&text, "  ", Printable(violation.subject), ": ",
                    Printable(violation.description), "\n");
  }
  for (const std::string& remedy : details.remedies) {
    if (absl::StrContains(status.message(), remedy)) continue;
    absl::StrAppend(&text, "  ", Printable(remedy), "\n");
  }
  const std::string remedy = client::IsFromCall(status) ? Remedy(status) : "";
  if (!remedy.empty() && details.remedies.empty()) {
    absl::StrAppend(&text, "  ", Printable(remedy), "\n");
  }
  return text;
}

}  // namespace mantissa::cli
