#include "base/status.h"

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <optional>

#include "absl/strings/cord.h"
#include "absl/strings/str_join.h"

namespace mantissa {
namespace {

constexpr char kViolationsUrl[] = "type.mantissa/FieldViolations";

// A payload is the strings of all violations in order, each with its length before it.
void AppendString(absl::string_view text, std::string& out) {
  const uint32_t size = text.size();
  out.append(reinterpret_cast<const char*>(&size), sizeof(size));
  out.append(text.data(), text.size());
}

std::optional<std::string> TakeString(absl::string_view& in) {
  uint32_t size;
  if (in.size() < sizeof(size)) return std::nullopt;
  std::memcpy(&size, in.data(), sizeof(size));
  in.remove_prefix(sizeof(size));
  if (in.size() < size) return std::nullopt;
  std::string text(in.substr(0, size));
  in.remove_prefix(size);
  return text;
}

void CopyPayloads(const absl::Status& from, absl::Status& to) {
  from.ForEachPayload(
      [&](absl::string_view url, const absl::Cord& payload) { to.SetPayload(url, payload); });
}

}  // namespace

std::string FieldViolation::Text() const {
  return absl::StrCat(field, " is ", given, "; allowed ", allowed, ".", remedy.empty() ? "" : " ",
                      remedy);
}

absl::Status InvalidField(absl::string_view field, absl::string_view given,
                          absl::string_view allowed, absl::string_view remedy) {
  return InvalidFields({FieldViolation{.field = std::string(field),
                                       .given = std::string(given),
                                       .allowed = std::string(allowed),
                                       .remedy = std::string(remedy)}});
}

absl::Status InvalidFields(absl::Span<const FieldViolation> violations) {
  if (violations.empty()) return absl::OkStatus();
  std::string payload;
  for (const FieldViolation& v : violations) {
    for (const std::string* text : {&v.field, &v.given, &v.allowed, &v.remedy}) {
      AppendString(*text, payload);
    }
  }
  absl::Status status = absl::InvalidArgumentError(absl::StrJoin(
      violations, " ",
      [](std::string* out, const FieldViolation& v) { absl::StrAppend(out, v.Text()); }));
  status.SetPayload(kViolationsUrl, absl::Cord(payload));
  return status;
}

std::vector<FieldViolation> FieldViolationsOf(const absl::Status& status) {
  std::vector<FieldViolation> violations;
  const absl::optional<absl::Cord> payload = status.GetPayload(kViolationsUrl);
  if (!payload.has_value()) return violations;
  const std::string bytes(*payload);
  absl::string_view rest = bytes;
  while (!rest.empty()) {
    FieldViolation violation;
    for (std::string* text :
         {&violation.field, &violation.given, &violation.allowed, &violation.remedy}) {
      std::optional<std::string> taken = TakeString(rest);
      MANTISSA_CHECK(taken.has_value(), "payload ends early");
      *text = *std::move(taken);
    }
    violations.push_back(std::move(violation));
  }
  return violations;
}

absl::Status Annotate(const absl::Status& status, absl::string_view prefix) {
  if (status.ok()) return status;
  absl::Status annotated(status.code(), absl::StrCat(prefix, ": ", status.message()));
  CopyPayloads(status, annotated);
  return annotated;
}

absl::Status InField(const absl::Status& status, absl::string_view outer) {
  std::vector<FieldViolation> violations = FieldViolationsOf(status);
  if (violations.empty()) return Annotate(status, outer);
  for (FieldViolation& violation : violations) {
    violation.field = absl::StrCat(outer, ".", violation.field);
  }
  return InvalidFields(violations);
}

namespace status_internal {

void CheckFailed(const char* file, int line, const char* condition, absl::string_view message) {
  std::fprintf(stderr, "%s:%d: check failed: %s%s%.*s\n", file, line, condition,
               message.empty() ? "" : ": ", static_cast<int>(message.size()), message.data());
  std::fflush(stderr);
  std::abort();
}

}  // namespace status_internal
}  // namespace mantissa
