#include "server/data/tokens.h"

#include <algorithm>
#include <cstring>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "base/file.h"
#include "base/status.h"
#include "server/data/names.h"
#include "server/data/npy.h"

namespace mantissa::data {
namespace {

// The tokens of one file.
struct Tokens {
  std::string name;
  absl::string_view bytes;
  int token_bytes = 2;  // 1, 2, 4 or 8; little-endian
  bool is_signed = false;
  std::shared_ptr<const void> owner;

  int64_t size() const { return static_cast<int64_t>(bytes.size()) / token_bytes; }
  int64_t At(int64_t i) const {
    uint64_t value = 0;
    std::memcpy(&value, bytes.data() + i * token_bytes, token_bytes);
    if (!is_signed || token_bytes == 8) return static_cast<int64_t>(value);
    const int unused = 64 - 8 * token_bytes;
    return static_cast<int64_t>(value << unused) >> unused;
  }
};

class TokenSamples : public SampleSource {
 public:
  TokenSamples(Tokens tokens, int64_t length, int64_t stride)
      : tokens_(std::move(tokens)),
        length_(length),
        stride_(stride),
        size_(tokens_.size() > length ? (tokens_.size() - length - 1) / stride + 1 : 0) {}

  int64_t size() const override { return size_; }
  absl::Status ReadInput(int64_t sample, size_t, absl::Span<char> out) const override {
    return Read(sample * stride_, out);
  }
  absl::Status ReadTarget(int64_t sample, absl::Span<char> out) const override {
    return Read(sample * stride_ + 1, out);
  }

 private:
  absl::Status Read(int64_t first, absl::Span<char> out) const {
    for (int64_t i = 0; i < length_; ++i) {
      const int64_t token = tokens_.At(first + i);
      std::memcpy(out.data() + i * sizeof(token), &token, sizeof(token));
    }
    return absl::OkStatus();
  }

  const Tokens tokens_;
  const int64_t length_, stride_, size_;
};

absl::StatusOr<Tokens> OpenArray(const NamedBytes& file) {
  ASSIGN_OR_RETURN(NpyArray array, ParseNpy(file.name, file.bytes));
  if (array.shape.size() != 1 || array.kind == 'f' || array.kind == 'b') {
    return absl::InvalidArgumentError(absl::StrCat(
        file.name, ": an array of ", array.dtype(), " and shape ", ShapeText(array.shape),
        "; tokens are whole numbers of one dimension. Use ravel() and astype('uint16')."));
  }
  auto owner = std::make_shared<const std::string>(std::move(array.bytes));
  return Tokens{file.name, *owner, array.item_size, array.kind == 'i', owner};
}

absl::StatusOr<Tokens> OpenFlat(const NamedBytes& file, const ReadContext& context) {
  const int token_bytes = context.options.token_bytes == 0 ? 2 : context.options.token_bytes;
  if (file.bytes.size() % token_bytes != 0) {
    return absl::InvalidArgumentError(
        absl::StrCat(file.name, ": ", file.bytes.size(), " bytes are no multiple of ", token_bytes,
                     ", the bytes of a token. Say how many a token has, or push it anew."));
  }
  return Tokens{file.name, file.bytes, token_bytes, false, context.owner};
}

// The largest token, -1 where there is none.
absl::StatusOr<int64_t> LargestToken(const Tokens& tokens, int64_t vocabulary) {
  const int64_t limit = vocabulary > 0 ? vocabulary : kMaxVocabulary;
  int64_t largest = -1;
  for (int64_t i = 0; i < tokens.size(); ++i) {
    const int64_t token = tokens.At(i);
    if (token < 0 || token >= limit) {
      return absl::InvalidArgumentError(absl::StrCat(
          tokens.name, ": token ", i, " (from 0) is ", token, "; allowed 0 to ", limit - 1,
          ". Check the bytes of a token, here ", tokens.token_bytes, ", and the vocabulary."));
    }
    largest = std::max(largest, token);
  }
  return largest;
}

absl::Status CheckOptions(const LoadOptions& options) {
  if (options.sequence_length < 1 || options.sequence_length > kMaxSequenceLength) {
    return InvalidField("read.sequence_length", absl::StrCat(options.sequence_length),
                        absl::StrCat("1 to ", kMaxSequenceLength),
                        "Say how many tokens a sample has, for instance 256.");
  }
  if (options.sequence_stride < 0 || options.sequence_stride > kMaxSequenceLength) {
    return InvalidField("read.sequence_stride", absl::StrCat(options.sequence_stride),
                        absl::StrCat("0 to ", kMaxSequenceLength),
                        "Leave it out for samples that do not overlap.");
  }
  if (options.vocabulary < 0 || options.vocabulary == 1 || options.vocabulary > kMaxVocabulary) {
    return InvalidField("read.vocabulary", absl::StrCat(options.vocabulary),
                        absl::StrCat("2 to ", kMaxVocabulary, ", or 0"),
                        "Leave it out to take the largest token and one.");
  }
  const int bytes = options.token_bytes;
  if (bytes != 0 && bytes != 1 && bytes != 2 && bytes != 4) {
    return InvalidField("read.token_bytes", absl::StrCat(bytes), "1, 2, 4, or 0 for 2",
                        "Use 2 for uint16.");
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<LoadedDataset> ReadTokenDataset(absl::Span<const NamedBytes> files,
                                               ReadContext& context) {
  const LoadOptions& options = context.options;
  RETURN_IF_ERROR(CheckOptions(options));
  const int64_t length = options.sequence_length;
  const int64_t stride = options.sequence_stride > 0 ? options.sequence_stride : length;
  int64_t vocabulary = options.vocabulary;
  std::vector<std::shared_ptr<const SampleSource>> train, test;
  for (const NamedBytes& file : files) {
    ASSIGN_OR_RETURN(Tokens tokens, absl::EndsWithIgnoreCase(file.name, ".npy")
                                        ? OpenArray(file)
                                        : OpenFlat(file, context));
    ASSIGN_OR_RETURN(const int64_t largest, LargestToken(tokens, options.vocabulary));
    vocabulary = std::max(vocabulary, largest + 1);
    if (tokens.size() <= length) {
      return absl::InvalidArgumentError(
          absl::StrCat(file.name, ": ", tokens.size(), " tokens; a sample needs ", length,
                       " and the one after. Use a shorter sequence length."));
    }
    auto samples = std::make_shared<TokenSamples>(std::move(tokens), length, stride);
    (IsTestName(BaseName(file.name)) ? test : train).push_back(std::move(samples));
  }
  LoadedDataset dataset{.format = "tokens"};
  dataset.inputs = {{"tokens", ElementType::kInt64, {length}, vocabulary}};
  dataset.target = {"next_tokens", ElementType::kInt64, {length}, vocabulary};
  dataset.train = Join(std::move(train));
  dataset.test = Join(std::move(test));
  return dataset;
}

}  // namespace mantissa::data
