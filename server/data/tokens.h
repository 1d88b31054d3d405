// server/data/tokens.h
//
// Text as numbers: files of tokens, cut into samples whose target is the sample moved on by one
// token.
//
//   ASSIGN_OR_RETURN(LoadedDataset text, ReadTokenDataset(files, context));
//   // options.sequence_length = 4: tokens 5 6 7 8 9 ... -> input {5, 6, 7, 8}, target {6, 7, 8, 9}
//
// A file has unsigned little-endian numbers of options.token_bytes bytes and nothing else, or is a
// .npy array of whole numbers of one dimension. Samples do not cross from one file into another; a
// rest shorter than a sample is left out. Files with "val" or "test" in their names are for
// testing.

#ifndef MANTISSA_SERVER_DATA_TOKENS_H_
#define MANTISSA_SERVER_DATA_TOKENS_H_

#include <cstdint>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "server/data/dataset.h"
#include "server/data/source.h"

namespace mantissa::data {

inline constexpr int64_t kMaxSequenceLength = 1 << 20;
inline constexpr int64_t kMaxVocabulary = 1 << 24;

// Input "tokens" and target "next_tokens", int64 [sequence_length], classes: the vocabulary. The
// files are read in place, nothing is copied. InvalidArgument names the token that is out of range,
// or the option that is missing.
absl::StatusOr<LoadedDataset> ReadTokenDataset(absl::Span<const NamedBytes> files,
                                               ReadContext& context);

}  // namespace mantissa::data

#endif  // MANTISSA_SERVER_DATA_TOKENS_H_
