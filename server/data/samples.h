// server/data/samples.h
//
// What a model is trained on: samples of one or more inputs and a target, read when asked.
//
//   std::vector<char> pixels(dataset.inputs[0].bytes());
//   RETURN_IF_ERROR(dataset.train->ReadInput(17, 0, absl::MakeSpan(pixels)));
//
// A source may hold its samples in memory (array_samples.h), look them up in a mapped file
// (tokens.h) or decode them from one (encoded_images.h); readers see no difference but speed.

#ifndef MANTISSA_SERVER_DATA_SAMPLES_H_
#define MANTISSA_SERVER_DATA_SAMPLES_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/types/span.h"

namespace mantissa::data {

// Of the elements as they are kept; in the byte order of this machine.
enum class ElementType { kUInt8, kInt32, kInt64, kFloat32 };

int64_t BytesOf(ElementType type);
// NumPy's name, for instance "uint8".
const char* NameOf(ElementType type);

// One tensor of a sample.
struct SampleTensor {
  std::string name;  // printable
  ElementType type = ElementType::kFloat32;
  // Without the batch: [C, H, W] of an image, [T] of tokens, empty for a class number.
  std::vector<int64_t> shape;
  // Elements are whole numbers from 0 to below this, those to be ignored apart; 0 where not.
  int64_t classes = 0;

  int64_t elements() const;
  int64_t bytes() const { return elements() * BytesOf(type); }
  // As an input: uint8 pixels, [C, H, W], which are scaled by 1/255 and normalised.
  bool is_image() const { return type == ElementType::kUInt8 && shape.size() == 3; }
  bool is_whole() const { return type != ElementType::kFloat32; }
  // Whether a model gets it as float32, which images as inputs become.
  bool is_float(bool is_input) const { return !is_whole() || (is_input && is_image()); }
};

// "[3, 32, 32]".
std::string ShapeText(absl::Span<const int64_t> shape);

// Samples of one split. Const access from many threads is safe.
class SampleSource {
 public:
  virtual ~SampleSource() = default;

  virtual int64_t size() const = 0;
  // Row-major elements of one tensor. InvalidArgument names the file that can't be decoded.
  // REQUIRES: 0 <= sample < size(), and `out` has the tensor's bytes.
  virtual absl::Status ReadInput(int64_t sample, size_t input, absl::Span<char> out) const = 0;
  virtual absl::Status ReadTarget(int64_t sample, absl::Span<char> out) const = 0;
  // Whether reading decodes, so that it is worth several threads and not done for nothing.
  virtual bool decodes() const { return false; }
};

// The samples of `all` by number. REQUIRES: each number is one of `all`.
std::shared_ptr<const SampleSource> Select(std::shared_ptr<const SampleSource> all,
                                           std::vector<int64_t> chosen);

// One after the other. REQUIRES: `parts` have the same tensors.
std::shared_ptr<const SampleSource> Join(std::vector<std::shared_ptr<const SampleSource>> parts);

}  // namespace mantissa::data

#endif  // MANTISSA_SERVER_DATA_SAMPLES_H_
