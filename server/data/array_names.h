// server/data/array_names.h
//
// Which arrays of a file are inputs and targets, and of which split: by the names that people give
// them.
//
//   ASSIGN_OR_RETURN(ArrayRoles roles, FindRoles(file.name, {"x_train", "y_train"}, options));
//   roles.train.inputs  // {"x_train"}
//
// Known are x and y, images and labels, data and target, inputs and targets, for one or more inputs
// also x0, x1 and so on; with a split of their own as x_train and x_test, or train_x and test_x.
// Names that the options give stand before all of these; their test arrays have "test" in place of
// "train", or "_test" behind. Case is ignored.

#ifndef MANTISSA_SERVER_DATA_ARRAY_NAMES_H_
#define MANTISSA_SERVER_DATA_ARRAY_NAMES_H_

#include <set>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "server/data/dataset.h"

namespace mantissa::data {

struct ArrayRoles {
  struct Split {
    std::vector<std::string> inputs;  // empty: no such split
    std::string target;
  };
  Split train, test;
};

// `names` are in lower case. InvalidArgument names the array that is missing.
absl::StatusOr<ArrayRoles> FindRoles(absl::string_view file, const std::set<std::string>& names,
                                     const LoadOptions& options);

}  // namespace mantissa::data

#endif  // MANTISSA_SERVER_DATA_ARRAY_NAMES_H_
