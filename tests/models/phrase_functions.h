// The functions, methods and words that a phrase may call (phrase.h).
//
//   Call("view", value, {Term::Samples(), Term::Number(64)}, &value);
#ifndef MANTISSA_TESTS_MODELS_PHRASE_FUNCTIONS_H_
#define MANTISSA_TESTS_MODELS_PHRASE_FUNCTIONS_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "ATen/core/Tensor.h"
#include "absl/strings/string_view.h"

namespace mantissa::model_replay {

// An argument that is a number, the number of samples ("N"), a word, or a list.
struct Term {
  double number = 0;
  bool is_samples = false;
  std::string word;
};

// "int64", "long", "float32" and so on.
std::optional<at::ScalarType> TypeOf(absl::string_view word);

// Whether a word followed by "(" calls something.
bool IsFunction(absl::string_view name);

// nullopt if there is no such function.
std::optional<at::Tensor> Call(absl::string_view name, const at::Tensor& value,
                               const std::vector<Term>& terms);

// `value` with the sizes of a tuple, the samples first, whatever its order; channels are repeated
// where that makes it fit. As it was where it does not.
at::Tensor Reshaped(const at::Tensor& value, const std::vector<Term>& sizes);

// [N, 1, ...] -> [N, times, ...].
at::Tensor RepeatedChannels(const at::Tensor& value, int64_t times);

// `value op other`: + - * / // % > >= < <= == != >> <<.
std::optional<at::Tensor> Operate(absl::string_view op, const at::Tensor& value,
                                  const at::Tensor& other);

}  // namespace mantissa::model_replay

#endif  // MANTISSA_TESTS_MODELS_PHRASE_FUNCTIONS_H_
