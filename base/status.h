// Errors: absl::Status everywhere, made and passed on with what is here.
//
//   absl::StatusOr<Plan> Load(absl::string_view path) {
//     ASSIGN_OR_RETURN(std::string text, files.Read(path));
//     RETURN_IF_ERROR(Validate(text));
//     if (rate <= 0) {
//       return InvalidField("training.learning_rate", absl::StrCat(rate),
//                           "a finite number above 0", "Use 0.1 with SGD.");
//     }
//     ...
//   }
//
// Untrusted input and likely trouble (a full disk, a lost worker) is a Status; what only a mistake
// in this program can cause is a MANTISSA_CHECK, which ends the process. The text of an error says
// what was given, what is allowed and what to do. Field violations travel inside the Status as a
// payload, so that no layer between needs to know them; server/rpc turns them into
// google.rpc.BadRequest.
#ifndef MANTISSA_BASE_STATUS_H_
#define MANTISSA_BASE_STATUS_H_

#include <string>
#include <vector>

#include "absl/base/attributes.h"
#include "absl/base/optimization.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"

namespace mantissa {

// What is wrong with one field of a request or of a file.
struct FieldViolation {
  // Path from the request's top, with dots: "job.training.learning_rate".
  std::string field;
  // The value as text, shortened by the caller if long: "NaN".
  std::string given;
  // What is allowed: "a finite number above 0".
  std::string allowed;
  // What to do, a sentence: "Use 0.1 with SGD."
  std::string remedy;

  // "training.learning_rate is NaN; allowed a finite number above 0. Use 0.1 with SGD."
  std::string Text() const;

  friend bool operator==(const FieldViolation&, const FieldViolation&) = default;
};

// INVALID_ARGUMENT with the text above and the violation as a payload.
absl::Status InvalidField(absl::string_view field, absl::string_view given,
                          absl::string_view allowed, absl::string_view remedy);

// INVALID_ARGUMENT that carries all `violations`, their texts joined by a space; OK if there are
// none.
absl::Status InvalidFields(absl::Span<const FieldViolation> violations);

// The violations that `status` carries, in the order given; empty if none.
std::vector<FieldViolation> FieldViolationsOf(const absl::Status& status);

// `status` with "`prefix`: " before its message; code and payloads stay. OK stays OK.
absl::Status Annotate(const absl::Status& status, absl::string_view prefix);

// The same error with "`outer`." before the field paths in payload and message, for a caller that
// validates a part of a larger message: "learning_rate" becomes "training.learning_rate".
absl::Status InField(const absl::Status& status, absl::string_view outer);

namespace status_internal {

inline const absl::Status& ToStatus(const absl::Status& status) { return status; }
template <typename T>
const absl::Status& ToStatus(const absl::StatusOr<T>& result) {
  return result.status();
}

// Prints and aborts.
[[noreturn]] void CheckFailed(const char* file, int line, const char* condition,
                              absl::string_view message);

}  // namespace status_internal
}  // namespace mantissa

#define MANTISSA_STATUS_CONCAT_INNER(a, b) a##b
#define MANTISSA_STATUS_CONCAT(a, b) MANTISSA_STATUS_CONCAT_INNER(a, b)

// Returns the status of `expr` (a Status or StatusOr) from the calling function unless it is OK.
#define RETURN_IF_ERROR(expr)                                               \
  do {                                                                      \
    const auto& mantissa_status_result = (expr);                            \
    if (ABSL_PREDICT_FALSE(!mantissa_status_result.ok())) {                 \
      return ::mantissa::status_internal::ToStatus(mantissa_status_result); \
    }                                                                       \
  } while (false)

// Evaluates `expr`, a StatusOr; returns its status if it is an error, else assigns the value to
// `lhs`, which may be a declaration. A type with a comma needs a using-declaration first.
#define ASSIGN_OR_RETURN(lhs, expr) \
  MANTISSA_ASSIGN_OR_RETURN(MANTISSA_STATUS_CONCAT(mantissa_result_, __LINE__), lhs, expr)
#define MANTISSA_ASSIGN_OR_RETURN(result, lhs, expr)            \
  auto result = (expr);                                         \
  if (ABSL_PREDICT_FALSE(!result.ok())) return result.status(); \
  lhs = *std::move(result)

// Ends the process with a message if `condition` does not hold: for what only a mistake in this
// program can cause. More arguments are joined to the message: MANTISSA_CHECK(n > 0, "n is ", n).
#define MANTISSA_CHECK(condition, ...)                                                         \
  do {                                                                                         \
    if (ABSL_PREDICT_FALSE(!(condition))) {                                                    \
      ::mantissa::status_internal::CheckFailed(__FILE__, __LINE__, #condition,                 \
                                               ::absl::StrCat("" __VA_OPT__(, ) __VA_ARGS__)); \
    }                                                                                          \
  } while (false)

// MANTISSA_CHECK that a Status or StatusOr is OK.
#define MANTISSA_CHECK_OK(expr)                                                     \
  do {                                                                              \
    const auto& mantissa_check_result = (expr);                                     \
    if (ABSL_PREDICT_FALSE(!mantissa_check_result.ok())) {                          \
      ::mantissa::status_internal::CheckFailed(                                     \
          __FILE__, __LINE__, #expr " is OK",                                       \
          ::mantissa::status_internal::ToStatus(mantissa_check_result).ToString()); \
    }                                                                               \
  } while (false)

#endif  // MANTISSA_BASE_STATUS_H_
