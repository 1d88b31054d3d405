// client/cli/text.h
//
// Text for people: what came from elsewhere made safe to print, numbers and times made readable.
//
//   Printable("ev\x1b[2Jil")   // "ev\x1b[2Jil" with the escape character written as four
//   characters Bytes(1536)                // "1.5 KiB" Span(absl::Seconds(3725))  // "1h 02m"
//
// Pure functions.

#ifndef MANTISSA_CLIENT_CLI_TEXT_H_
#define MANTISSA_CLIENT_CLI_TEXT_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace mantissa::cli {

// `text` with control characters, bytes that are not UTF-8 and characters that change the direction
// of writing as \xNN or \u{NNNN}, so that it cannot move the cursor or pose as other output.
std::string Printable(absl::string_view text);

// The same, line feeds and tabs kept: for logs.
std::string PrintableLines(absl::string_view text);

// Columns that `text` takes: its characters; wide ones are not told apart.
int DisplayWidth(absl::string_view text);

// `text` cut to at most `width` columns, the last one "…" if something was cut.
std::string Fit(absl::string_view text, int width);

// `text` in lines of at most `width` columns, broken at spaces; a longer word has its own line.
std::vector<std::string> Wrap(absl::string_view text, int width);

// "1,313,287,604".
std::string Count(int64_t number);

// "1.5 KiB".
std::string Bytes(int64_t bytes);

// Bits as bytes: "1.5 KiB".
std::string BitsAsBytes(int64_t bits);

// 0.4987 as "49.87%"; "-" if not finite.
std::string Percent(double share);

// Up to six significant digits: "0.0312", "65536", "nan".
std::string Number(double value);

// "850 ms", "12.3 s", "4m 05s", "1h 02m", "3d 04h".
std::string Span(absl::Duration duration);

// "2026-11-24 11:20:03" in UTC; "-" for the infinite past.
std::string Moment(absl::Time time);

}  // namespace mantissa::cli

#endif  // MANTISSA_CLIENT_CLI_TEXT_H_
