// JSON as Python's json module writes it: NaN, Infinity and -Infinity may stand for numbers.
//
//   ASSIGN_OR_RETURN(nlohmann::json run, ReadPythonJson("runs/resnet18-low.json"));
//   double norm = Number(run["grad_l2"]);  // perhaps infinite
#ifndef MANTISSA_TESTS_REFERENCE_PYTHON_JSON_H_
#define MANTISSA_TESTS_REFERENCE_PYTHON_JSON_H_

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "nlohmann/json.hpp"

namespace mantissa::reference {

absl::StatusOr<nlohmann::json> ReadPythonJson(absl::string_view path);

// REQUIRES: a number, or one of the three words.
double Number(const nlohmann::json& value);

}  // namespace mantissa::reference

#endif  // MANTISSA_TESTS_REFERENCE_PYTHON_JSON_H_
