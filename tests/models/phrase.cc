#include "tests/models/phrase.h"

#include <algorithm>
#include <exception>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "base/status.h"
#include "tests/models/phrase_lexer.h"
#include "tests/models/phrase_parser.h"

namespace mantissa::model_replay {
namespace {

std::vector<std::string> NamesIn(absl::string_view left) {
  std::vector<std::string> names;
  for (const Lexeme& lexeme : Lex(left)) {
    if (lexeme.kind == Lexeme::Kind::kWord) names.push_back(lexeme.text);
  }
  return names;
}

}  // namespace

const Definition* Scope::Find(absl::string_view name) const {
  for (auto found = definitions_.rbegin(); found != definitions_.rend(); ++found) {
    if (found->name == name) return &*found;
  }
  return nullptr;
}

at::Tensor Scope::ArrayOf(absl::string_view file, absl::string_view array) const {
  for (const auto& [stem, arrays] : files_) {
    if (stem != file || arrays.empty()) continue;
    const auto found = arrays.find(std::string(array));
    if (found != arrays.end()) return found->second;
    return array.empty() ? arrays.begin()->second : at::Tensor();
  }
  return {};
}

at::Tensor Scope::Labels() const {
  for (const auto& [stem, arrays] : files_) {
    for (const char* const name : {"y", "labels", "label", "target", "targets"}) {
      const auto found = arrays.find(name);
      if (found != arrays.end()) return found->second;
    }
  }
  return {};
}

at::Tensor Scope::Lookup(absl::string_view word, bool* is_raw) {
  for (auto found = definitions_.rbegin(); found != definitions_.rend(); ++found) {
    if (found->name != word) continue;
    found->is_used = true;
    *is_raw = found->is_raw;
    return found->value;
  }
  *is_raw = true;
  const std::string lower = absl::AsciiStrToLower(word);
  for (const auto& [stem, arrays] : files_) {
    if (stem != word) continue;
    const at::Tensor x = ArrayOf(stem, "x");
    return x.defined() ? x : ArrayOf(stem, "");
  }
  if (files_.empty()) return {};
  const std::string& first = files_[0].first;
  const at::Tensor by_name = ArrayOf(first, word);
  if (by_name.defined()) return by_name;
  if (lower == "labels" || lower == "label" || lower == "y" || lower == "classes") return Labels();
  for (const char* const name :
       {"u8", "uint8", "pixels", "images", "image", "pictures", "digits", "data"}) {
    if (lower != name) continue;
    const at::Tensor x = ArrayOf(first, "x");
    return x.defined() ? x : ArrayOf(first, "");
  }
  return {};
}

absl::StatusOr<Definition> Scope::Evaluate(absl::string_view phrase) {
  try {
    const LookUp look_up = [this](const std::string& word, bool* is_raw) {
      return Lookup(word, is_raw);
    };
    Definition definition;
    definition.value = ParsePhrase(phrase, look_up, &definition.is_raw);
    return definition;
  } catch (const c10::Error& error) {
    return absl::InvalidArgumentError(
        absl::StrCat("\"", phrase, "\": ", error.what_without_backtrace()));
  } catch (const std::exception& error) {
    return absl::InvalidArgumentError(absl::StrCat("\"", phrase, "\": ", error.what()));
  }
}

absl::Status Scope::Define(absl::string_view text) {
  for (const std::string& statement : SplitStatements(text)) {
    const size_t equals = statement.find('=');
    if (equals == std::string::npos) continue;  // prose
    const std::vector<std::string> names = NamesIn(statement.substr(0, equals));
    std::vector<std::string> phrases = {statement.substr(equals + 1)};
    if (names.size() > 1) phrases = SplitAtCommas(phrases[0]);
    for (size_t i = 0; i < names.size(); ++i) {
      ASSIGN_OR_RETURN(Definition definition, Evaluate(phrases[std::min(i, phrases.size() - 1)]));
      definition.name = names[i];
      definitions_.push_back(std::move(definition));
    }
  }
  return absl::OkStatus();
}

}  // namespace mantissa::model_replay
