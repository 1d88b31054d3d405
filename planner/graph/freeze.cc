#include "planner/graph/freeze.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "base/status.h"

namespace mantissa::planner {
namespace {

constexpr size_t kNamedExamples = 3;

std::string Examples(const Graph& graph) {
  std::vector<std::string> names;
  for (const ValueId parameter : graph.parameters()) {
    if (names.size() == kNamedExamples) break;
    names.push_back(graph.value(parameter).name);
  }
  return absl::StrJoin(names, ", ");
}

}  // namespace

bool MatchesPattern(absl::string_view pattern, absl::string_view text) {
  size_t p = 0, t = 0;
  size_t star = pattern.npos, resume = 0;  // the last *, and what it has not taken yet
  while (t < text.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      resume = t;
    } else if (p < pattern.size() && (pattern[p] == '?' || pattern[p] == text[t])) {
      ++p;
      ++t;
    } else if (star != pattern.npos) {
      p = star + 1;
      t = ++resume;
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == '*') ++p;
  return p == pattern.size();
}

absl::Status FreezeParameters(const std::vector<std::string>& patterns, Graph& graph) {
  for (const std::string& pattern : patterns) {
    bool matches = false;
    for (const ValueId parameter : graph.parameters()) {
      if (!MatchesPattern(pattern, graph.value(parameter).name)) continue;
      matches = true;
      graph.Freeze(parameter);
    }
    if (matches) continue;
    return InvalidField(
        "freeze", absl::StrCat("\"", pattern, "\""),
        absl::StrCat("patterns that match a parameter, of which there are ",
                     graph.parameters().size()),
        absl::StrCat("Names are for instance ", Examples(graph), "; * stands for any text."));
  }
  const std::vector<ValueId>& parameters = graph.parameters();
  const bool all = std::all_of(parameters.begin(), parameters.end(),
                               [&](ValueId id) { return graph.value(id).frozen; });
  if (!all || parameters.empty()) return absl::OkStatus();
  return InvalidField("freeze", absl::StrJoin(patterns, ", "),
                      "patterns that leave a parameter to train", "Freeze fewer of them.");
}

}  // namespace mantissa::planner
