#include "server/models/expression.h"

#include <algorithm>
#include <cstdlib>
#include <memory>
#include <numeric>
#include <optional>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "base/status.h"
#include "server/data/names.h"

namespace mantissa::models {
namespace {

using planner::Dim;

constexpr size_t kMaxExpressionBytes = 4096;
constexpr int kMaxDepth = 64;
// Batch sizes at which an expression is looked at. 1 is none: torch.export assumes that it is not.
constexpr int64_t kBatchSizes[] = {2, 3, 4, 5, 6, 7, 8, 9, 16, 25, 49, 64, 121, 1000, 65536};

// Function(operands), a symbol or a number.
struct Term {
  std::string function;
  std::vector<Term> operands;
  std::string symbol;
  int64_t number = 0;
};

// Reads what srepr prints.
class Parser {
 public:
  explicit Parser(absl::string_view text) : text_(text) {}

  std::optional<Term> Parse() {
    if (text_.size() > kMaxExpressionBytes) return std::nullopt;
    std::optional<Term> term = ParseTerm(0);
    if (!term.has_value() || at_ != text_.size()) return std::nullopt;
    return term;
  }

 private:
  bool Take(char c) {
    SkipSpace();
    if (at_ >= text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
  }
  void SkipSpace() {
    while (at_ < text_.size() && text_[at_] == ' ') ++at_;
  }
  absl::string_view TakeWord() {
    SkipSpace();
    const size_t from = at_;
    while (at_ < text_.size() && (absl::ascii_isalnum(text_[at_]) || text_[at_] == '_' ||
                                  text_[at_] == '.' || (text_[at_] == '-' && at_ == from))) {
      ++at_;
    }
    return text_.substr(from, at_ - from);
  }

  std::optional<Term> ParseTerm(int depth) {
    if (depth > kMaxDepth) return std::nullopt;
    Term term;
    const absl::string_view word = TakeWord();
    if (word.empty()) return std::nullopt;
    if (absl::SimpleAtoi(word, &term.number)) return term;
    term.function = std::string(word);
    if (!Take('(')) return std::nullopt;
    if (term.function == "Symbol" || term.function == "Dummy") return ParseSymbol();
    do {
      std::optional<Term> operand = ParseTerm(depth + 1);
      if (!operand.has_value()) return std::nullopt;
      term.operands.push_back(*std::move(operand));
    } while (Take(','));
    if (!Take(')')) return std::nullopt;
    return term;
  }

  // 's77', positive=True, integer=True)
  std::optional<Term> ParseSymbol() {
    Term term;
    if (!Take('\'')) return std::nullopt;
    const size_t end = text_.find('\'', at_);
    if (end == absl::string_view::npos || end == at_) return std::nullopt;
    term.symbol = std::string(text_.substr(at_, end - at_));
    at_ = text_.find(')', end);
    if (at_ == absl::string_view::npos) return std::nullopt;
    ++at_;
    return term;
  }

  const absl::string_view text_;
  size_t at_ = 0;
};

// A fraction in lowest terms, the denominator above 0.
struct Fraction {
  int64_t up = 0;
  int64_t down = 1;
};
using Value = std::optional<Fraction>;

Value MakeFraction(__int128 up, __int128 down) {
  if (down == 0) return std::nullopt;
  if (down < 0) up = -up, down = -down;
  __int128 a = up < 0 ? -up : up, b = down;
  while (b != 0) a = std::exchange(b, a % b);
  if (a != 0) up /= a, down /= a;
  constexpr __int128 kMost = INT64_MAX;
  if (up > kMost || -up > kMost || down > kMost) return std::nullopt;
  return Fraction{static_cast<int64_t>(up), static_cast<int64_t>(down)};
}

int64_t Floor(const Fraction& value) {
  const int64_t quotient = value.up / value.down;
  return quotient - (value.up % value.down < 0 ? 1 : 0);
}

Value Add(const Fraction& a, const Fraction& b) {
  return MakeFraction(__int128{a.up} * b.down + __int128{b.up} * a.down, __int128{a.down} * b.down);
}
Value Multiply(const Fraction& a, const Fraction& b) {
  return MakeFraction(__int128{a.up} * b.up, __int128{a.down} * b.down);
}
Value Divide(const Fraction& a, const Fraction& b) {
  return MakeFraction(__int128{a.up} * b.down, __int128{a.down} * b.up);
}
Value FloorDivide(const Fraction& a, const Fraction& b) {
  const Value quotient = Divide(a, b);
  if (!quotient.has_value()) return std::nullopt;
  return Fraction{Floor(*quotient)};
}
// Python's: of the divisor's sign.
Value Modulo(const Fraction& a, const Fraction& b) {
  const Value quotient = FloorDivide(a, b);
  if (!quotient.has_value()) return std::nullopt;
  const Value taken = Multiply(*quotient, b);
  if (!taken.has_value()) return std::nullopt;
  return Add(a, {-taken->up, taken->down});
}
Value Power(const Fraction& base, const Fraction& exponent) {
  constexpr int64_t kMaxExponent = 16;
  if (exponent.down != 1 || std::abs(exponent.up) > kMaxExponent) return std::nullopt;
  Value power = Fraction{1};
  for (int64_t i = 0; i < std::abs(exponent.up) && power.has_value(); ++i) {
    power = exponent.up > 0 ? Multiply(*power, base) : Divide(*power, base);
  }
  return power;
}
bool Less(const Fraction& a, const Fraction& b) {
  return __int128{a.up} * b.down < __int128{b.up} * a.down;
}

class Evaluator {
 public:
  Evaluator(const Symbols& symbols, int64_t batch_size)
      : symbols_(symbols), batch_size_(batch_size) {}

  // Nothing for what is not known, does not fit or divides by zero.
  Value Evaluate(const Term& term) const {
    if (!term.symbol.empty()) {
      if (symbols_.batch.contains(term.symbol)) return Fraction{batch_size_};
      const auto number = symbols_.numbers.find(term.symbol);
      if (number == symbols_.numbers.end()) return std::nullopt;
      return Fraction{number->second};
    }
    if (term.function.empty()) return Fraction{term.number};
    std::vector<Fraction> operands;
    for (const Term& operand : term.operands) {
      const Value value = Evaluate(operand);
      if (!value.has_value()) return std::nullopt;
      operands.push_back(*value);
    }
    return operands.size() == 1 ? One(term.function, operands[0])
                                : Several(term.function, operands);
  }

 private:
  static Value One(absl::string_view function, const Fraction& a) {
    if (function == "floor" || function == "FloorToInt") return Fraction{Floor(a)};
    if (function == "ceiling" || function == "CeilToInt") return Fraction{-Floor({-a.up, a.down})};
    if (function == "TruncToInt") return Fraction{a.up / a.down};
    for (const absl::string_view same :
         {"Integer", "Identity", "ToFloat", "Add", "Mul", "Max", "Min"}) {
      if (function == same) return a;
    }
    return std::nullopt;
  }

  static Value Several(absl::string_view function, const std::vector<Fraction>& operands) {
    Value (*two)(const Fraction&, const Fraction&) = nullptr;
    if (function == "Add") two = Add;
    if (function == "Mul") two = Multiply;
    if (function == "Max")
      two = [](const Fraction& a, const Fraction& b) -> Value { return Less(a, b) ? b : a; };
    if (function == "Min")
      two = [](const Fraction& a, const Fraction& b) -> Value { return Less(a, b) ? a : b; };
    if (two == nullptr && operands.size() == 2) two = OfTwo(function);
    if (two == nullptr) return std::nullopt;
    Value value = operands[0];
    for (size_t i = 1; i < operands.size() && value.has_value(); ++i) {
      value = two(*value, operands[i]);
    }
    return value;
  }

  static Value (*OfTwo(absl::string_view function))(const Fraction&, const Fraction&) {
    if (function == "Rational" || function == "IntTrueDiv" || function == "FloatTrueDiv" ||
        function == "CleanDiv") {
      return Divide;
    }
    if (function == "FloorDiv") return FloorDivide;
    if (function == "Mod" || function == "PythonMod") return Modulo;
    if (function == "Pow" || function == "PowByNatural") return Power;
    if (function == "CeilDiv") {
      return [](const Fraction& a, const Fraction& b) -> Value {
        const Value down = FloorDivide({-a.up, a.down}, b);
        if (!down.has_value()) return std::nullopt;
        return Fraction{-down->up};
      };
    }
    return nullptr;
  }

  const Symbols& symbols_;
  const int64_t batch_size_;
};

absl::Status NotADim(const SymbolicInt& size, absl::string_view what) {
  return absl::InvalidArgumentError(absl::StrCat(
      "the size ", data::Printable(size.expression), " ", what,
      "; a number or a multiple of the batch size is needed. Export with only the first dimension "
      "of the inputs dynamic."));
}

void Collect(const Term& term, std::vector<std::string>& names) {
  if (!term.symbol.empty()) names.push_back(term.symbol);
  for (const Term& operand : term.operands) Collect(operand, names);
}

}  // namespace

absl::StatusOr<std::vector<std::string>> SymbolsOf(absl::string_view expression) {
  const std::optional<Term> term = Parser(expression).Parse();
  if (!term.has_value()) {
    return NotADim({.expression = std::string(expression)}, "can't be read");
  }
  std::vector<std::string> names;
  Collect(*term, names);
  return names;
}

absl::StatusOr<Dim> ToDim(const SymbolicInt& size, const Symbols& symbols) {
  if (size.expression.empty()) return Dim(size.number);
  const std::optional<Term> term = Parser(size.expression).Parse();
  if (!term.has_value()) return NotADim(size, "can't be read");
  std::vector<int64_t> values;
  for (const int64_t batch_size : kBatchSizes) {
    const Value value = Evaluator(symbols, batch_size).Evaluate(*term);
    if (!value.has_value()) return NotADim(size, "can't be known before the model runs");
    if (value->down != 1) return NotADim(size, "is no whole number at some batch sizes");
    values.push_back(value->up);
  }
  bool same = true, proportional = values[0] % kBatchSizes[0] == 0;
  for (size_t i = 0; i < values.size(); ++i) {
    same = same && values[i] == values[0];
    proportional = proportional &&
                   __int128{values[i]} == __int128{values[0] / kBatchSizes[0]} * kBatchSizes[i];
  }
  if (same) return Dim(values[0]);
  if (proportional) return Dim::Batch(values[0] / kBatchSizes[0]);
  return NotADim(size, "changes with the batch size, and not in proportion to it");
}

absl::StatusOr<int64_t> AtExport(const SymbolicInt& size) {
  if (size.expression.empty()) return size.number;
  if (size.hint.has_value()) return *size.hint;
  return NotADim(size, "can't be known before the model runs");
}

}  // namespace mantissa::models
