// planner/graph/freeze.h
//
// Which parameters are not trained, told by patterns on their names.
//
//   RETURN_IF_ERROR(FreezeParameters({"encoder.*", "embed?.weight"}, graph));

#ifndef MANTISSA_PLANNER_GRAPH_FREEZE_H_
#define MANTISSA_PLANNER_GRAPH_FREEZE_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "planner/graph/graph.h"

namespace mantissa::planner {

// Whether `text` is what `pattern` says: * stands for any text, dots too, ? for one character.
// O(|pattern| * |text|).
bool MatchesPattern(absl::string_view pattern, absl::string_view text);

// Freezes the parameters that any pattern matches. InvalidArgument (field "freeze") for a pattern
// that matches none, with some names that there are, and where nothing is left to train.
absl::Status FreezeParameters(const std::vector<std::string>& patterns, Graph& graph);

}  // namespace mantissa::planner

#endif  // MANTISSA_PLANNER_GRAPH_FREEZE_H_
