// UTF-8, checked: overlong forms, surrogates, cut characters and what lies above U+10FFFF are none.
// Example:
//
//   if (!IsUtf8(name)) return InvalidField(...);
//   message.set_text(std::string(CutUtf8(text, 2048)));  // protobuf refuses a cut character
#ifndef MANTISSA_BASE_UTF8_H_
#define MANTISSA_BASE_UTF8_H_

#include <cstddef>
#include <cstdint>

#include "absl/strings/string_view.h"

namespace mantissa {

// Length in bytes of the character at the start of `text`, and the character; 0 if there is none.
// REQUIRES: `text` is not empty.
int DecodeUtf8(absl::string_view text, uint32_t* character);

bool IsUtf8(absl::string_view text);

// At most `max_bytes` from the start of `text`, which end where a character does.
absl::string_view CutUtf8(absl::string_view text, size_t max_bytes);

}  // namespace mantissa

#endif  // MANTISSA_BASE_UTF8_H_
