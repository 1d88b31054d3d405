// Computes one phrase of a data text (phrase.h).
//
//   at::Tensor tokens = ParsePhrase("(u8 // 16 as int64), shape (N,64)", look_up, &is_raw);
#ifndef MANTISSA_TESTS_MODELS_PHRASE_PARSER_H_
#define MANTISSA_TESTS_MODELS_PHRASE_PARSER_H_

#include <functional>
#include <string>

#include "ATen/core/Tensor.h"
#include "absl/strings/string_view.h"

namespace mantissa::model_replay {

// The tensor that a word names, undefined if there is none, and whether it is as a file has it.
using LookUp = std::function<at::Tensor(const std::string& word, bool* is_raw)>;

// `is_raw`: no arithmetic was done with it. Throws c10::Error where LibTorch refuses,
// std::exception where the phrase names nothing.
at::Tensor ParsePhrase(absl::string_view phrase, const LookUp& look_up, bool* is_raw);

}  // namespace mantissa::model_replay

#endif  // MANTISSA_TESTS_MODELS_PHRASE_PARSER_H_
