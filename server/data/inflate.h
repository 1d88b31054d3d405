// server/data/inflate.h
//
// Decompression that can't be made to use more memory than it was told.
//
//   ASSIGN_OR_RETURN(std::string idx, Gunzip(file.name, bytes, limit));

#ifndef MANTISSA_SERVER_DATA_INFLATE_H_
#define MANTISSA_SERVER_DATA_INFLATE_H_

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace mantissa::data {

// Whether `bytes` starts as a gzip file does (RFC 1952).
bool IsGzip(absl::string_view bytes);

// The content of a gzip file of one or more members. `name` is for errors. InvalidArgument where
// the stream is damaged, ResourceExhausted where it has more than `limit` bytes.
absl::StatusOr<std::string> Gunzip(absl::string_view name, absl::string_view bytes, int64_t limit);

// Inflates a raw deflate stream (RFC 1951) that must give exactly `size` bytes and end with
// `bytes`. A `size` that no deflate stream of this length can give is refused before memory is
// taken.
absl::StatusOr<std::string> InflateExactly(absl::string_view name, absl::string_view bytes,
                                           int64_t size);

}  // namespace mantissa::data

#endif  // MANTISSA_SERVER_DATA_INFLATE_H_
