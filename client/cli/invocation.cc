#include "client/cli/invocation.h"

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "base/file.h"
#include "base/status.h"
#include "client/cli/json.h"
#include "planner/models/models.h"

namespace mantissa::cli {
namespace {

constexpr int64_t kLargestList = 16 << 20;

// The text of a flag, with the content of the file where it is a list given as @FILE.
absl::StatusOr<std::string> ValueOf(const Flag& flag, const std::string& text, Io& io) {
  if (flag.type != FlagType::kList || !absl::StartsWith(text, "@")) return text;
  return io.files().Read(text.substr(1), kLargestList);
}

// The API reads 0 as "not given"; somebody who types it means something else.
absl::Status CheckAboveZero(const Flag& flag, const std::string& text) {
  double number = 1;
  if (!flag.above_zero || !absl::SimpleAtod(text, &number) || number != 0) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat(LongName(flag), " is 0; allowed: above 0. Leave it out for the default",
                   *flag.default_text == '\0' ? "." : absl::StrCat(": ", flag.default_text, ".")));
}

}  // namespace

std::string Invocation::Positional(size_t index) const {
  return index < arguments_.positionals.size() ? arguments_.positionals[index] : "";
}

absl::StatusOr<int64_t> Invocation::Number(const std::string& flag, int64_t otherwise) const {
  if (!arguments_.Has(flag)) return otherwise;
  int64_t number = 0;
  if (!absl::SimpleAtoi(arguments_.Get(flag), &number) || number < 0) {
    return absl::InvalidArgumentError(
        absl::StrCat(flag, " is '", arguments_.Get(flag), "'; allowed: a whole number from 0."));
  }
  return number;
}

absl::StatusOr<client::Client*> Invocation::Connect() {
  if (client_ == nullptr) {
    ASSIGN_OR_RETURN(client_, client::Client::Connect(settings_.connect));
  }
  return client_.get();
}

absl::Status Invocation::Fill(google::protobuf::Message* message) const {
  for (const Flag* flag : arguments_.command->flags) {
    const auto given = arguments_.flags.find(LongName(*flag));
    if (*flag->field == '\0' || given == arguments_.flags.end()) continue;
    for (const std::string& text : given->second) {
      ASSIGN_OR_RETURN(std::string value, ValueOf(*flag, text, io_));
      if (LongName(*flag) == "--model") value = FullModelName(value);
      RETURN_IF_ERROR(CheckAboveZero(*flag, value));
      RETURN_IF_ERROR(SetField(*flag, value, message));
    }
  }
  return absl::OkStatus();
}

void Invocation::PrintJson(const google::protobuf::Message& message) const {
  io_.Out(JsonText(message));
}

std::string FullModelName(const std::string& name) {
  return planner::FindBuiltinModel(name).ok() ? absl::StrCat("builtin:", name) : name;
}

}  // namespace mantissa::cli
