// client/cli/byte_size.h
//
// Sizes as people write them.
//
//   ParseByteSize("8GiB")   // 8589934592
//   ParseByteSize("1.5 GB") // 1500000000
//   ParseByteSize("4096")   // 4096: without a unit it is bytes
//
// Pure functions.

#ifndef MANTISSA_CLIENT_CLI_BYTE_SIZE_H_
#define MANTISSA_CLIENT_CLI_BYTE_SIZE_H_

#include <cstdint>
#include <optional>

#include "absl/strings/string_view.h"

namespace mantissa::cli {

// Bytes of a decimal number with one of the units B, KB, MB, GB, TB (powers of 1000), KiB, MiB,
// GiB, TiB (powers of 1024), upper or lower case, space between allowed. A part of a byte is
// rounded. Nothing if it is no such text, less than a byte or more than 2^63 - 1 bytes.
std::optional<int64_t> ParseByteSize(absl::string_view text);

// What is allowed, for errors: "a size above 0 such as 8GiB, ...".
absl::string_view AllowedByteSizes();

}  // namespace mantissa::cli

#endif  // MANTISSA_CLIENT_CLI_BYTE_SIZE_H_
