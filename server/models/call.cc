#include "server/models/call.h"

#include "absl/strings/str_cat.h"
#include "server/data/names.h"

namespace mantissa::models {

using planner::ArgumentValue;
using planner::Dim;
using planner::Shape;

absl::Status Call::Error(absl::string_view what) const {
  const bool named = !outputs.empty() && outputs[0].has_value();
  return absl::InvalidArgumentError(absl::StrCat(
      "the operator ", data::Printable(op),
      named ? absl::StrCat(" (", data::Printable(outputs[0]->name), ")") : "", " ", what));
}

const ArgumentValue* FindArgument(const Call& call, absl::string_view name) {
  for (const planner::Argument& argument : call.args) {
    if (argument.name == name) return &argument.value;
  }
  return nullptr;
}

ArgumentValue SizeArgument(const Dim& dim) {
  if (dim.times_batch) return dim;
  return dim.factor;
}

ArgumentValue SizesArgument(const Shape& shape) {
  std::vector<int64_t> numbers;
  for (const Dim& dim : shape) {
    if (dim.times_batch) return shape;
    numbers.push_back(dim.factor);
  }
  return numbers;
}

}  // namespace mantissa::models
