// What a model's JSON says of its inputs, computed.
//
//   Scope scope(files);                        // {"digits16", {"x": ..., "y": ...}}
//   RETURN_IF_ERROR(scope.Define("x = digits16 u8/255 (N,1,16,16); target = labels"));
//   scope.definitions()[0].value               // float32 [640, 1, 16, 16]
//
// The sentences are written by people: expressions (`u8 // 16`, `tokens[:, 1:]`, `round(x * 2)`)
// and prose ("repeated to 3 channels", "as int64", "shape (N,64)") in any order. Words that mean
// nothing here are passed over; what comes out is held to the shapes of the model's inputs later.
// The first dimension of every value is the sample.
#ifndef MANTISSA_TESTS_MODELS_PHRASE_H_
#define MANTISSA_TESTS_MODELS_PHRASE_H_

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "ATen/core/Tensor.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace mantissa::model_replay {

// Arrays by name, of each file by its name without ".npz"; the first is the one that is meant where
// no file is named. Integers are int64.
using Files = std::vector<std::pair<std::string, std::map<std::string, at::Tensor>>>;

struct Definition {
  std::string name;
  // A number stands for a tensor of any shape that is filled with it.
  at::Tensor value;
  // Another definition is made from it.
  bool is_used = false;
  // No arithmetic was done: a picture's bytes, which models take divided by 255.
  bool is_raw = false;
};

class Scope {
 public:
  explicit Scope(Files files) : files_(std::move(files)) {}

  // "name = phrase; name = phrase". InvalidArgument names the phrase that cannot be read.
  absl::Status Define(absl::string_view text);
  // A phrase alone.
  absl::StatusOr<Definition> Evaluate(absl::string_view phrase);

  const std::vector<Definition>& definitions() const { return definitions_; }
  const Definition* Find(absl::string_view name) const;
  // A definition, file or array; undefined if the word is none. Marks definitions as used.
  at::Tensor Lookup(absl::string_view word, bool* is_raw);
  // The array of a file that a model reads: "x" if there is one, else the first.
  at::Tensor ArrayOf(absl::string_view file, absl::string_view array) const;
  // Undefined if there are none.
  at::Tensor Labels() const;

 private:
  const Files files_;
  std::vector<Definition> definitions_;
};

}  // namespace mantissa::model_replay

#endif  // MANTISSA_TESTS_MODELS_PHRASE_H_
