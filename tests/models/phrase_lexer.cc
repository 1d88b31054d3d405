#include "tests/models/phrase_lexer.h"

#include <cstdlib>
#include <regex>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/strip.h"

namespace mantissa::model_replay {
namespace {

constexpr absl::string_view kLongSigns[] = {"...", "//", ">=", "<=", "==", "!=", ">>", "<<"};

bool IsWordStart(char c) { return absl::ascii_isalpha(c) || c == '_'; }
bool IsWordPart(char c) { return absl::ascii_isalnum(c) || c == '_'; }

// Where another definition begins: "target = ", "(input, h) = ", but not "x == 3".
bool StartsDefinition(absl::string_view text) {
  static const auto* const pattern =
      new std::regex(R"(^\s*(and\s+)?[A-Za-z_][A-Za-z0-9_]*(\s*\[\d+\])?\s*=(?!=))");
  return std::regex_search(text.begin(), text.end(), *pattern);
}

bool IsAnd(absl::string_view text) {
  return absl::StartsWith(text, " and ") && StartsDefinition(text);
}

}  // namespace

std::vector<Lexeme> Lex(absl::string_view text) {
  const std::string plain = absl::StrReplaceAll(text, {{"one-hot", "onehot"},
                                                       {"one hot", "onehot"},
                                                       {"≥", ">="},
                                                       {"≤", "<="},
                                                       {"×", "*"},
                                                       {"−", "-"},
                                                       {"'", " "},
                                                       {"\"", " "},
                                                       {"`", " "}});
  std::vector<Lexeme> result;
  for (size_t i = 0; i < plain.size();) {
    const absl::string_view rest = absl::string_view(plain).substr(i);
    Lexeme lexeme;
    if (absl::ascii_isspace(rest[0])) {
      ++i;
      continue;
    }
    if (IsWordStart(rest[0])) {
      size_t end = 1;
      while (end < rest.size() && IsWordPart(rest[end])) ++end;
      lexeme = {.kind = Lexeme::Kind::kWord, .text = std::string(rest.substr(0, end))};
    } else if (absl::ascii_isdigit(rest[0]) ||
               (rest[0] == '.' && rest.size() > 1 && absl::ascii_isdigit(rest[1]))) {
      const char* const begin = plain.c_str() + i;
      char* end = nullptr;
      const double number = std::strtod(begin, &end);
      lexeme = {.kind = Lexeme::Kind::kNumber,
                .text = std::string(begin, static_cast<const char*>(end)),
                .number = number};
    } else {
      lexeme = {.kind = Lexeme::Kind::kSign, .text = std::string(rest.substr(0, 1))};
      for (const absl::string_view sign : kLongSigns) {
        if (absl::StartsWith(rest, sign)) {
          lexeme.text = std::string(sign);
          break;
        }
      }
    }
    i += lexeme.text.size();
    result.push_back(std::move(lexeme));
  }
  result.push_back({});
  return result;
}

std::vector<std::string> SplitStatements(absl::string_view text) {
  std::vector<std::string> result(1);
  int depth = 0;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '(' || c == '[') ++depth;
    if (c == ')' || c == ']') --depth;
    const absl::string_view rest = text.substr(i);
    // "a, b = 1, 2" defines both at once.
    const bool complete = absl::StrContains(result.back(), '=');
    const bool ends = c == ';' || c == '\n' ||
                      (complete && ((c == ',' || c == '.') && StartsDefinition(rest.substr(1)))) ||
                      (complete && IsAnd(rest));
    if (depth == 0 && ends) {
      result.emplace_back();
    } else {
      result.back().push_back(c);
    }
  }
  std::vector<std::string> statements;
  for (const std::string& part : result) {
    absl::string_view statement = absl::StripAsciiWhitespace(part);
    absl::ConsumePrefix(&statement, "and ");
    if (!statement.empty()) statements.emplace_back(statement);
  }
  return statements;
}

std::vector<std::string> SplitAtCommas(absl::string_view text) {
  std::vector<std::string> result(1);
  int depth = 0;
  for (const char c : text) {
    if (c == '(' || c == '[') ++depth;
    if (c == ')' || c == ']') --depth;
    if (c == ',' && depth == 0) {
      result.emplace_back();
    } else {
      result.back().push_back(c);
    }
  }
  return result;
}

}  // namespace mantissa::model_replay
