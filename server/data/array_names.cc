#include "server/data/array_names.h"

#include <utility>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "base/status.h"
#include "server/data/names.h"

namespace mantissa::data {
namespace {

using Split = ArrayRoles::Split;
using Names = std::set<std::string>;

constexpr size_t kShownNames = 16;

// x, or x0, x1... as long as there are such.
std::vector<std::string> InputNames(const Names& names, absl::string_view form,
                                    absl::string_view base) {
  const auto name = [&](absl::string_view stem) {
    return absl::StrReplaceAll(form, {{"%", stem}});
  };
  std::vector<std::string> found;
  if (names.contains(name(base))) return {name(base)};
  for (int i = 0; names.contains(name(absl::StrCat(base, i))); ++i) {
    found.push_back(name(absl::StrCat(base, i)));
  }
  return found;
}

// A split by one of the customary names; no inputs and no target where there is none.
Split FindSplit(const Names& names, absl::string_view form, absl::string_view input,
                absl::string_view target) {
  Split split{.inputs = InputNames(names, form, input)};
  const std::string name = absl::StrReplaceAll(form, {{"%", target}});
  if (names.contains(name)) split.target = name;
  if (!split.inputs.empty() && split.target.empty()) split.target = name;
  if (split.inputs.empty() && !split.target.empty()) {
    split.inputs = {absl::StrReplaceAll(form, {{"%", input}})};
  }
  return split;
}

std::string TestName(const std::string& train) {
  std::string name = absl::StrReplaceAll(train, {{"train", "test"}});
  return name == train ? absl::StrCat(train, "_test") : name;
}

ArrayRoles GivenRoles(const Names& names, const LoadOptions& options) {
  ArrayRoles roles;
  for (const std::string& input : options.inputs) {
    roles.train.inputs.push_back(absl::AsciiStrToLower(input));
  }
  if (roles.train.inputs.empty()) roles.train.inputs = InputNames(names, "%", "x");
  if (roles.train.inputs.empty()) roles.train.inputs = {"x"};
  roles.train.target = options.target.empty() ? "y" : absl::AsciiStrToLower(options.target);
  if (names.contains(TestName(roles.train.target))) {
    for (const std::string& input : roles.train.inputs) {
      roles.test.inputs.push_back(TestName(input));
    }
    roles.test.target = TestName(roles.train.target);
  }
  return roles;
}

ArrayRoles CustomaryRoles(const Names& names) {
  constexpr std::pair<const char*, const char*> kPairs[] = {
      {"x", "y"}, {"images", "labels"}, {"data", "target"}, {"inputs", "targets"}};
  constexpr std::pair<const char*, const char*> kForms[] = {
      {"%_train", "%_test"}, {"train_%", "test_%"}, {"%", ""}};
  for (const auto& [train, test] : kForms) {
    for (const auto& [input, target] : kPairs) {
      Split split = FindSplit(names, train, input, target);
      if (split.inputs.empty()) continue;
      return {std::move(split), *test == '\0' ? Split{} : FindSplit(names, test, input, target)};
    }
  }
  return {};
}

absl::Status CheckThere(absl::string_view file, const Names& names, const Split& split) {
  std::vector<std::string> all = split.inputs;
  if (!all.empty()) all.push_back(split.target);
  for (const std::string& name : all) {
    if (names.contains(name)) continue;
    const std::string& partner = name == split.target ? split.inputs[0] : split.target;
    return absl::InvalidArgumentError(absl::StrCat(file, ": an array ", Printable(partner),
                                                   " but none named ", Printable(name),
                                                   ". Inputs and targets come together: add it."));
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<ArrayRoles> FindRoles(absl::string_view file, const Names& names,
                                     const LoadOptions& options) {
  const bool given = !options.inputs.empty() || !options.target.empty();
  ArrayRoles roles = given ? GivenRoles(names, options) : CustomaryRoles(names);
  if (roles.train.inputs.empty()) {
    std::vector<std::string> found;
    for (const std::string& name : names) {
      found.push_back(Printable(name));
      if (found.size() == kShownNames) break;
    }
    return absl::InvalidArgumentError(absl::StrCat(
        file, ": no array of inputs: it holds [", absl::StrJoin(found, ", "),
        "]. Name the arrays x and y, or images and labels, or x_train, y_train, x_test and "
        "y_test, or say which they are."));
  }
  RETURN_IF_ERROR(CheckThere(file, names, roles.train));
  RETURN_IF_ERROR(CheckThere(file, names, roles.test));
  if (!roles.test.inputs.empty() && roles.test.inputs.size() != roles.train.inputs.size()) {
    return absl::InvalidArgumentError(
        absl::StrCat(file, ": ", roles.train.inputs.size(), " inputs to train on, but ",
                     roles.test.inputs.size(), " to test on. There must be as many."));
  }
  return roles;
}

}  // namespace mantissa::data
