#include "tests/models/phrase_functions.h"

#include <algorithm>
#include <functional>
#include <map>
#include <utility>

#include "ATen/Functions.h"
#include "absl/strings/ascii.h"

namespace mantissa::model_replay {
namespace {

using Terms = std::vector<Term>;

int64_t At(const Terms& terms, size_t i, int64_t otherwise) {
  return i < terms.size() ? static_cast<int64_t>(terms[i].number) : otherwise;
}

std::vector<int64_t> Numbers(const at::Tensor& value, const Terms& terms) {
  std::vector<int64_t> result;
  for (const Term& term : terms) {
    result.push_back(term.is_samples ? value.size(0) : static_cast<int64_t>(term.number));
  }
  return result;
}

at::Tensor Clamped(const at::Tensor& value, const Terms& terms) {
  std::optional<at::Scalar> low, high;
  if (!terms.empty()) low = terms[0].number;
  if (terms.size() > 1) high = terms[1].number;
  return at::clamp(value, low, high);
}

at::Tensor OneHot(const at::Tensor& value, const Terms& terms) {
  const at::Tensor labels = value.to(at::kLong);
  const int64_t classes = At(terms, 0, labels.max().item<int64_t>() + 1);
  return labels.unsqueeze(-1).eq(at::arange(classes)).to(at::kLong);
}

// The value `by` places on, the last one filled with the first that is left over.
at::Tensor Shifted(const at::Tensor& value, int64_t by) { return at::roll(value, {by}, {1}); }

using Function = std::function<at::Tensor(const at::Tensor&, const Terms&)>;

const std::map<std::string, Function>& Functions() {
  static const auto* const functions = new std::map<std::string, Function>{
      {"view", [](const auto& v, const Terms& t) { return Reshaped(v, t); }},
      {"reshape", [](const auto& v, const Terms& t) { return Reshaped(v, t); }},
      {"expand", [](const auto& v, const Terms& t) { return v.expand(Numbers(v, t)); }},
      {"repeat", [](const auto& v, const Terms& t) { return v.repeat(Numbers(v, t)); }},
      {"permute", [](const auto& v, const Terms& t) { return v.permute(Numbers(v, t)); }},
      {"transpose",
       [](const auto& v, const Terms& t) { return v.transpose(At(t, 0, 1), At(t, 1, 2)); }},
      {"flatten",
       [](const auto& v, const Terms& t) { return v.flatten(std::max<int64_t>(1, At(t, 0, 1))); }},
      {"squeeze", [](const auto& v, const Terms& t) { return v.squeeze(At(t, 0, 1)); }},
      {"unsqueeze", [](const auto& v, const Terms& t) { return v.unsqueeze(At(t, 0, 1)); }},
      {"round", [](const auto& v, const Terms&) { return v.is_floating_point() ? v.round() : v; }},
      {"floor", [](const auto& v, const Terms&) { return v.is_floating_point() ? v.floor() : v; }},
      {"clamp", Clamped},
      {"clip", Clamped},
      {"onehot", OneHot},
      {"one_hot", OneHot},
      {"flip", [](const auto& v, const Terms& t) { return v.flip(At(t, 0, -1)); }},
      {"roll", [](const auto& v, const Terms& t) { return Shifted(v, At(t, 0, -1)); }},
      {"shift", [](const auto& v, const Terms& t) { return Shifted(v, At(t, 0, -1)); }},
      {"shift_right",
       [](const auto& v, const Terms&) {
         return at::constant_pad_nd(v.slice(1, 0, -1), {1, 0});
       }},
      {"mean", [](const auto& v, const Terms& t) { return v.mean(At(t, 0, -1)); }},
      {"sum", [](const auto& v, const Terms& t) { return v.sum(At(t, 0, -1)); }},
      {"zeros_like", [](const auto& v, const Terms&) { return at::zeros_like(v); }},
      {"ones_like", [](const auto& v, const Terms&) { return at::ones_like(v); }},
      {"contiguous", [](const auto& v, const Terms&) { return v.contiguous(); }},
      {"clone", [](const auto& v, const Terms&) { return v.clone(); }},
      {"copy", [](const auto& v, const Terms&) { return v.clone(); }},
      {"to",
       [](const auto& v, const Terms& t) {
         return v.to(t.empty() ? v.scalar_type() : TypeOf(t[0].word).value_or(v.scalar_type()));
       }},
  };
  return *functions;
}

}  // namespace

std::optional<at::ScalarType> TypeOf(absl::string_view word) {
  static const auto* const types = new std::map<std::string, at::ScalarType, std::less<>>{
      {"float32", at::kFloat}, {"float", at::kFloat},    {"floats", at::kFloat},
      {"f32", at::kFloat},     {"float64", at::kDouble}, {"double", at::kDouble},
      {"int64", at::kLong},    {"long", at::kLong},      {"int", at::kLong},
      {"integer", at::kLong},  {"integers", at::kLong},  {"int32", at::kInt},
      {"i64", at::kLong},      {"bool", at::kBool},      {"boolean", at::kBool}};
  const auto type = types->find(absl::AsciiStrToLower(word));
  if (type == types->end()) return std::nullopt;
  return type->second;
}

bool IsFunction(absl::string_view name) {
  const std::string key = absl::AsciiStrToLower(name);
  return Functions().count(key) > 0 || TypeOf(key).has_value();
}

std::optional<at::Tensor> Call(absl::string_view name, const at::Tensor& value,
                               const std::vector<Term>& terms) {
  const std::string key = absl::AsciiStrToLower(name);
  if (const auto type = TypeOf(key)) return value.to(*type);
  const auto function = Functions().find(key);
  if (function == Functions().end()) return std::nullopt;
  return function->second(value, terms);
}

at::Tensor RepeatedChannels(const at::Tensor& value, int64_t times) {
  if (value.dim() < 2 || value.size(1) != 1) return value;
  std::vector<int64_t> sizes = value.sizes().vec();
  sizes[1] = times;
  return value.expand(sizes);
}

at::Tensor Reshaped(const at::Tensor& value, const std::vector<Term>& terms) {
  if (value.dim() == 0) return value;
  std::vector<int64_t> sizes;
  bool has_samples = false;
  for (const Term& term : terms) has_samples |= term.is_samples;
  for (const Term& term : terms) {
    if (!term.is_samples) sizes.push_back(static_cast<int64_t>(term.number));
  }
  if (has_samples) {
    sizes.insert(sizes.begin(), value.size(0));
  } else if (!sizes.empty() && (sizes[0] == -1 || sizes[0] != value.size(0))) {
    // "(1, 28, 28)" is the shape of one sample.
    if (sizes[0] == -1) {
      sizes[0] = value.size(0);
    } else {
      sizes.insert(sizes.begin(), value.size(0));
    }
  }
  int64_t known = 1, open = 0;
  for (const int64_t size : sizes) {
    if (size < 0) {
      ++open;
    } else {
      known *= size;
    }
  }
  if (open == 0 && known == value.numel()) return value.reshape(sizes);
  if (open == 1 && known > 0 && value.numel() % known == 0) return value.reshape(sizes);
  if (open == 0 && sizes.size() == static_cast<size_t>(value.dim()) && sizes.size() > 1)
    return RepeatedChannels(value, sizes[1]);
  return value;
}

std::optional<at::Tensor> Operate(absl::string_view op, const at::Tensor& value,
                                  const at::Tensor& other) {
  if (op == "+") return at::add(value, other);
  if (op == "-") return at::sub(value, other);
  if (op == "*") return at::mul(value, other);
  if (op == "/") return at::div(value, other);
  if (op == "//") return at::floor_divide(value, other);
  if (op == "%") return at::remainder(value, other);
  if (op == ">") return at::gt(value, other);
  if (op == ">=") return at::ge(value, other);
  if (op == "<") return at::lt(value, other);
  if (op == "<=") return at::le(value, other);
  if (op == "==") return at::eq(value, other);
  if (op == "!=") return at::ne(value, other);
  if (op == ">>") return at::bitwise_right_shift(value, other);
  if (op == "<<") return at::bitwise_left_shift(value, other);
  return std::nullopt;
}

}  // namespace mantissa::model_replay
