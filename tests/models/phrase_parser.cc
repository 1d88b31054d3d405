#include "tests/models/phrase_parser.h"

#include <algorithm>
#include <optional>
#include <set>
#include <stdexcept>
#include <utility>
#include <vector>

#include "ATen/Functions.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "tests/models/phrase_functions.h"
#include "tests/models/phrase_lexer.h"

namespace mantissa::model_replay {
namespace {

class Parser {
 public:
  Parser(const LookUp& look_up, absl::string_view phrase)
      : look_up_(look_up), lexemes_(Lex(phrase)) {}

  at::Tensor Phrase() {
    at::Tensor value = Expression();
    while (Modify(value)) {
    }
    return value;
  }
  bool is_raw() const { return is_raw_; }

 private:
  using Kind = Lexeme::Kind;

  const Lexeme& Next(size_t ahead = 0) const {
    return lexemes_[std::min(at_ + ahead, lexemes_.size() - 1)];
  }
  bool AtEnd() const { return Next().kind == Kind::kEnd; }
  bool IsSign(absl::string_view text, size_t ahead = 0) const {
    return Next(ahead).kind == Kind::kSign && Next(ahead).text == text;
  }
  bool Take(absl::string_view sign) {
    if (!IsSign(sign)) return false;
    ++at_;
    return true;
  }
  std::string Word(size_t ahead = 0) const {
    return Next(ahead).kind == Kind::kWord ? absl::AsciiStrToLower(Next(ahead).text) : "";
  }

  // All signs bind from the left but for the usual order of three ranks.
  at::Tensor Expression(int rank = 0) {
    static const auto* const ranks = new std::vector<std::set<std::string>>{
        {">", ">=", "<", "<=", "==", "!="}, {"+", "-"}, {"*", "/", "//", "%", ">>", "<<"}};
    if (rank == static_cast<int>(ranks->size())) return Postfix(Primary());
    at::Tensor value = Expression(rank + 1);
    while (true) {
      std::string sign = Next().kind == Kind::kSign ? Next().text : "";
      if (rank == 2 && (Word() == "mod" || Word() == "div")) sign = Word() == "mod" ? "%" : "//";
      if ((*ranks)[rank].count(sign) == 0) return value;
      ++at_;
      value = *Operate(sign, value, Expression(rank + 1));
      is_raw_ = false;
    }
  }

  static at::Tensor Number(const std::string& text, double number) {
    at::Tensor value = absl::StrContains(text, '.') || absl::StrContains(text, 'e')
                           ? at::scalar_tensor(number, at::kDouble)
                           : at::scalar_tensor(static_cast<int64_t>(number), at::kLong);
    value.unsafeGetTensorImpl()->set_wrapped_number(true);
    return value;
  }

  at::Tensor Primary() {
    while (!AtEnd()) {
      if (Take("-")) return at::neg(Expression(2));
      if (Take("(")) {
        at::Tensor value = Phrase();
        SkipTo(")");
        return value;
      }
      if (Next().kind == Kind::kNumber) {
        const Lexeme number = Next();
        ++at_;
        return Number(number.text, number.number);
      }
      if (Next().kind == Kind::kWord) {
        const Lexeme word = Next();
        ++at_;
        if (IsSign("(") && IsFunction(word.text)) return CallOf(word.text);
        const std::string lower = absl::AsciiStrToLower(word.text);
        if (lower == "zeros" || lower == "zero") return Filled(0);
        if (lower == "ones") return Filled(1);
        bool is_raw = false;
        const at::Tensor found = look_up_(word.text, &is_raw);
        if (found.defined()) {
          is_raw_ = is_raw;
          return found;
        }
        continue;  // prose
      }
      ++at_;
    }
    throw std::invalid_argument("nothing that is known is named");
  }

  at::Tensor Filled(int64_t number) {
    if (IsSign("(")) SkipBrackets();
    return at::scalar_tensor(number, at::kLong);
  }

  at::Tensor CallOf(const std::string& name) {
    Take("(");
    at::Tensor value = Phrase();
    std::vector<Term> terms;
    if (Take(",")) terms = TermsUntil(")");
    SkipTo(")");
    is_raw_ = is_raw_ && TypeOf(name).has_value();
    return *Call(name, value, terms);
  }

  // Slices, methods, "digits16 u8", "digits16.npz".
  at::Tensor Postfix(at::Tensor value) {
    static const auto* const kNames =
        new std::set<std::string>{"u8", "uint8", "pixels", "images", "pictures", "values", "bytes"};
    while (true) {
      if (IsSign("[") && value.dim() > 0) {
        value = Sliced(value);
      } else if (IsSign(".") && Next(1).kind == Kind::kWord) {
        const std::string name = Next(1).text;
        if (IsFunction(name) && IsSign("(", 2)) {
          at_ += 3;
          value = *Call(name, value, TermsUntil(")"));
          SkipTo(")");
        } else if (name == "npz" || name == "x" || IsFunction(name)) {
          at_ += 2;
        } else {
          return value;
        }
      } else if (kNames->count(Word()) > 0) {
        ++at_;
      } else {
        return value;
      }
    }
  }

  std::optional<int64_t> Integer() {
    const bool negative = Take("-");
    if (Next().kind != Kind::kNumber) return std::nullopt;
    const double number = Next().number;
    ++at_;
    return static_cast<int64_t>(negative ? -number : number);
  }

  at::Tensor Sliced(at::Tensor value) {
    Take("[");
    int64_t dim = 0;
    while (!AtEnd() && !IsSign("]")) {
      if (Take("...")) {
        int64_t left = 0;  // items that follow
        for (size_t i = 0; !IsSign("]", i) && Next(i).kind != Kind::kEnd; ++i)
          left += IsSign(",", i);
        dim = value.dim() - left;
      } else if (Word() == "none") {
        ++at_;
        value = value.unsqueeze(dim++);
      } else {
        const std::optional<int64_t> start = Integer();
        if (!Take(":")) {
          if (!start) break;
          value = value.select(dim, *start);
        } else {
          const std::optional<int64_t> end = Integer();
          const std::optional<int64_t> step = Take(":") ? Integer() : std::nullopt;
          value = value.slice(dim++, start, end, step.value_or(1));
        }
      }
      if (!Take(",")) break;
    }
    SkipTo("]");
    return value;
  }

  // "N, 3, 32*32" up to a bracket, which is not taken.
  std::vector<Term> TermsUntil(absl::string_view end) {
    std::vector<Term> terms;
    while (!AtEnd() && !IsSign(end)) {
      Term term{.number = -1};
      bool first = true;
      while (!AtEnd() && !IsSign(end) && !IsSign(",")) {
        if (Next().kind == Kind::kWord) {
          term.word = Next().text;
          term.is_samples = term.word == "N" || term.word == "B" || Word() == "batch";
          ++at_;
        } else if (Take("*")) {
        } else if (const std::optional<int64_t> number = Integer()) {
          term.number =
              first ? static_cast<double>(*number) : term.number * static_cast<double>(*number);
          first = false;
        } else {
          ++at_;
        }
      }
      terms.push_back(term);
      Take(",");
    }
    return terms;
  }

  void SkipTo(absl::string_view sign) {
    while (!AtEnd() && !Take(sign)) ++at_;
  }
  void SkipBrackets() {
    int depth = 0;
    do {
      if (IsSign("(")) ++depth;
      if (IsSign(")")) --depth;
      ++at_;
    } while (depth > 0 && !AtEnd());
  }

  // What follows the expression: prose that changes it, or nothing known. False at the end.
  bool Modify(at::Tensor& value) {
    if (AtEnd() || IsSign(")") || IsSign("]")) return false;
    if (Next().kind == Kind::kSign) return ModifyBySign(value);
    if (Next().kind == Kind::kNumber && Word(1) == "channels") {
      value = RepeatedChannels(value, *Integer());
      return true;
    }
    const std::string word = Word();
    ++at_;
    if (const auto type = TypeOf(word)) {
      value = value.to(*type);
    } else if (absl::StartsWith(word, "repeat") && Next().kind == Kind::kNumber) {
      value = RepeatedChannels(value, *Integer());
    } else if (absl::StartsWith(word, "flatten")) {
      value = value.flatten(1);
    } else if (absl::StartsWith(word, "transpos")) {
      value = value.transpose(1, 2);
    } else if (word == "onehot") {
      const bool told = IsSign("(") && Next(1).kind == Kind::kNumber;
      if (told) Take("(");
      std::vector<Term> classes;
      if (told) classes = {{.number = Next().number}};
      if (told) SkipTo(")");
      value = *Call("onehot", value, classes);
    } else if (absl::StartsWith(word, "shift") || absl::StartsWith(word, "roll")) {
      const bool right = Word() == "right";
      value = *Call("shift", value, {{.number = right ? 1.0 : -1.0}});
    } else if (absl::StartsWith(word, "round") || absl::StartsWith(word, "floor")) {
      value = *Call(word.substr(0, 5), value, {});
    }
    return true;
  }

  bool ModifyBySign(at::Tensor& value) {
    if (IsSign("(")) {
      const bool is_type = TypeOf(Word(1)).has_value();
      const bool is_shape = Word(1) == "n" || Word(1) == "b" || Word(1) == "batch" ||
                            IsSign("-", 1) || (Next(1).kind == Kind::kNumber && IsSign(",", 2));
      const size_t begin = at_;
      if (is_type) value = value.to(*TypeOf(Word(1)));
      if (is_shape) {
        ++at_;
        value = Reshaped(value, TermsUntil(")"));
      }
      at_ = begin;
      SkipBrackets();
      return true;
    }
    // An operator after prose: "digits8 u8, shape (N,64), // 16".
    const std::string sign = Next().text;
    if (IsSign("[")) {
      value = Sliced(value);
      return true;
    }
    ++at_;
    if (sign == "," || sign == "." || sign == ":" || sign == "=" || sign == "-") return true;
    const bool continues = Next().kind == Kind::kNumber || Next().kind == Kind::kWord;
    if (!continues) return true;
    if (const auto result = Operate(sign, value, Expression(2))) {
      value = *result;
      is_raw_ = false;
    }
    return true;
  }

  const LookUp& look_up_;
  const std::vector<Lexeme> lexemes_;
  size_t at_ = 0;
  bool is_raw_ = false;
};

}  // namespace

at::Tensor ParsePhrase(absl::string_view phrase, const LookUp& look_up, bool* is_raw) {
  Parser parser(look_up, phrase);
  at::Tensor value = parser.Phrase();
  *is_raw = parser.is_raw();
  return value;
}

}  // namespace mantissa::model_replay
