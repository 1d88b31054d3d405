#include "kernels/formats/format.h"

#include <array>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"

namespace mantissa::kernels {
namespace {

constexpr std::array<std::pair<absl::string_view, Format>, 3> kNamed = {{
    {"fp32", kFp32},
    {"bf16", kBf16},
    {"fp16", kFp16},
}};

}  // namespace

std::string Format::name() const {
  for (const auto& [name, format] : kNamed) {
    if (*this == format) return std::string(name);
  }
  return absl::StrCat("fp(", exponent_bits, ",", mantissa_bits, ",", bias_shift, ")");
}

absl::Status CheckFormat(const Format& format) {
  const auto [e, m, b, reserved] = format;
  if (e < 2 || e > 8) {
    return absl::InvalidArgumentError(
        absl::StrCat("format has ", e, " exponent bits; allowed 2 to 8."));
  }
  const int max_mantissa = e == 8 ? 23 : 22;
  if (m < 1 || m > max_mantissa) {
    return absl::InvalidArgumentError(absl::StrCat("format has ", m,
                                                   " mantissa bits; allowed 1 to ", max_mantissa,
                                                   " with ", e, " exponent bits."));
  }
  const int max_shift = e == 8 ? 0 : 32;
  if (b < -max_shift || b > max_shift) {
    return absl::InvalidArgumentError(absl::StrCat("format has bias shift ", b, "; allowed ",
                                                   -max_shift, " to ", max_shift, " with ", e,
                                                   " exponent bits."));
  }
  if (e == 8 && !reserved) {
    return absl::InvalidArgumentError(
        "format has 8 exponent bits and no infinity; float32 could not hold its largest values.");
  }
  return absl::OkStatus();
}

absl::StatusOr<Format> ParseFormat(absl::string_view text) {
  for (const auto& [name, format] : kNamed) {
    if (text == name) return format;
  }
  const auto unreadable = [text] {
    return absl::InvalidArgumentError(absl::StrCat(
        "format is \"", text, "\"; allowed fp32, bf16, fp16 or fp(e,m,b). Example: fp(6,9,0)."));
  };
  absl::string_view fields = text;
  if (!absl::ConsumePrefix(&fields, "fp(") || !absl::ConsumeSuffix(&fields, ")")) {
    return unreadable();
  }
  const std::vector<absl::string_view> parts = absl::StrSplit(fields, ',');
  int e = 0, m = 0, b = 0;
  if (parts.size() != 3 || !absl::SimpleAtoi(parts[0], &e) || !absl::SimpleAtoi(parts[1], &m) ||
      !absl::SimpleAtoi(parts[2], &b)) {
    return unreadable();
  }
  const Format format = Fp(e, m, b);
  if (absl::Status status = CheckFormat(format); !status.ok()) return status;
  return format;
}

}  // namespace mantissa::kernels
