// server/data/names.h
//
// Names of files inside archives and data sets.

#ifndef MANTISSA_SERVER_DATA_NAMES_H_
#define MANTISSA_SERVER_DATA_NAMES_H_

#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace mantissa::data {

// Whether `name` is a relative path that stays where it is: 1 to 1,024 bytes, '/' between its
// parts, no part empty or "..", valid UTF-8, no backslash, no control character.
bool IsSafeName(absl::string_view name);

// Printable ASCII: other bytes as \xNN, at most 128 of them. For error texts.
std::string Printable(absl::string_view name);

// Whether a file of this name, folders aside, is for testing: one of the words test, t10k, val,
// valid and validation is in it, between what are no letters. Case is ignored.
bool IsTestName(absl::string_view base);

}  // namespace mantissa::data

#endif  // MANTISSA_SERVER_DATA_NAMES_H_
