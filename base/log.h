// One logger: a line to standard error.
//
//   LogInfo("job ", id, " starts on ", threads, " threads");
//   -> 2026-11-24T11:12:13.123Z INFO job 7f3a starts on 2 threads
//
// A message may hold untrusted bytes: control characters come out escaped, so that it stays one
// line and cannot steer a terminal. A line is written at once and whole. Never log a token.
#ifndef MANTISSA_BASE_LOG_H_
#define MANTISSA_BASE_LOG_H_

#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

namespace mantissa {

enum class LogLevel { kDebug, kInfo, kWarning, kError };

// Lines below `level` are dropped. The start value is kInfo. Thread-safe.
void SetLogLevel(LogLevel level);

// Writes one line. Thread-safe.
void Log(LogLevel level, absl::string_view message);

template <typename... Args>
void LogDebug(const Args&... args) {
  Log(LogLevel::kDebug, absl::StrCat(args...));
}
template <typename... Args>
void LogInfo(const Args&... args) {
  Log(LogLevel::kInfo, absl::StrCat(args...));
}
template <typename... Args>
void LogWarning(const Args&... args) {
  Log(LogLevel::kWarning, absl::StrCat(args...));
}
template <typename... Args>
void LogError(const Args&... args) {
  Log(LogLevel::kError, absl::StrCat(args...));
}

// `text` with control characters (below 0x20, and 0x7f) as \n, \t or \xNN, and with "\" doubled.
// UTF-8 stays as it is. For terminals too.
std::string EscapeControlCharacters(absl::string_view text);

}  // namespace mantissa

#endif  // MANTISSA_BASE_LOG_H_
