#include "tests/reference/python_json.h"

#include <limits>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "base/file.h"
#include "base/status.h"

namespace mantissa::reference {
namespace {

constexpr absl::string_view kWords[] = {"-Infinity", "Infinity", "NaN"};

// Puts the three words into quotes where they are no part of a string.
std::string QuoteWords(absl::string_view text) {
  std::string quoted;
  quoted.reserve(text.size());
  bool in_string = false;
  for (size_t i = 0; i < text.size(); ++i) {
    if (in_string && text[i] == '\\') {
      quoted += text[i++];
    } else if (text[i] == '"') {
      in_string = !in_string;
    } else if (!in_string) {
      for (const absl::string_view word : kWords) {
        if (!absl::StartsWith(text.substr(i), word)) continue;
        absl::StrAppend(&quoted, "\"", word, "\"");
        i += word.size();
        break;
      }
    }
    if (i < text.size()) quoted += text[i];
  }
  return quoted;
}

}  // namespace

absl::StatusOr<nlohmann::json> ReadPythonJson(absl::string_view path) {
  ASSIGN_OR_RETURN(const std::string text, RealFileSystem().Read(path));
  nlohmann::json json =
      nlohmann::json::parse(QuoteWords(text), nullptr, /*allow_exceptions=*/false);
  if (json.is_discarded()) return absl::InvalidArgumentError(absl::StrCat(path, " is not JSON"));
  return json;
}

double Number(const nlohmann::json& value) {
  if (value.is_number()) return value.get<double>();
  const std::string word = value.is_string() ? value.get<std::string>() : "";
  if (word == "Infinity") return std::numeric_limits<double>::infinity();
  if (word == "-Infinity") return -std::numeric_limits<double>::infinity();
  MANTISSA_CHECK(word == "NaN", "not a number: ", value.dump());
  return std::numeric_limits<double>::quiet_NaN();
}

}  // namespace mantissa::reference
