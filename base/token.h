// Secrets: unpredictable tokens and their comparison.
//
//   std::string token = RandomToken(16);  // 32 hex digits
#ifndef MANTISSA_BASE_TOKEN_H_
#define MANTISSA_BASE_TOKEN_H_

#include <string>

#include "absl/strings/string_view.h"

namespace mantissa {

// `bytes` unpredictable bytes in lower-case hex, from OpenSSL's generator.
std::string RandomToken(int bytes);

// Whether both are equal, in a time that tells nothing about where they differ.
bool TokensEqual(absl::string_view a, absl::string_view b);

}  // namespace mantissa

#endif  // MANTISSA_BASE_TOKEN_H_
