// Words, numbers and signs of a sentence that is half prose, half formula.
//
//   Lex("x = (u8/255 as float32), shape (N,3,32,32)");
//   SplitStatements("x = u8/255; target = x")   // {"x = u8/255", "target = x"}
#ifndef MANTISSA_TESTS_MODELS_PHRASE_LEXER_H_
#define MANTISSA_TESTS_MODELS_PHRASE_LEXER_H_

#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace mantissa::model_replay {

struct Lexeme {
  enum class Kind { kWord, kNumber, kSign, kEnd };
  Kind kind = Kind::kEnd;
  std::string text;  // words as written; "one-hot" is one word, "onehot"
  double number = 0;
};

// Quotes are dropped. Ends with a kEnd.
std::vector<Lexeme> Lex(absl::string_view text);

// At semicolons and line ends, and at commas and "and" that another "name =" follows; not within
// brackets.
std::vector<std::string> SplitStatements(absl::string_view text);

// At commas outside of brackets.
std::vector<std::string> SplitAtCommas(absl::string_view text);

}  // namespace mantissa::model_replay

#endif  // MANTISSA_TESTS_MODELS_PHRASE_LEXER_H_
