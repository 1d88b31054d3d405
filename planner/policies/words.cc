#include "planner/policies/words.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace mantissa::planner {

std::string WithThousands(int64_t number) {
  std::string text = absl::StrCat(number);
  for (int i = static_cast<int>(text.size()) - 3; i > 0; i -= 3) text.insert(i, 1, ',');
  return text;
}

std::string Ordinal(int number) {
  const int last_two = number % 100, last = number % 10;
  if (last_two >= 11 && last_two <= 13) return absl::StrCat(number, "th");
  return absl::StrCat(number, last == 1 ? "st" : last == 2 ? "nd" : last == 3 ? "rd" : "th");
}

std::string HumanBytes(int64_t bytes) {
  const auto number = static_cast<double>(bytes);
  if (bytes >= int64_t{1} << 30) return absl::StrFormat("%.2f GiB", number / 0x1p30);
  if (bytes >= int64_t{1} << 20) return absl::StrFormat("%.1f MiB", number / 0x1p20);
  if (bytes >= int64_t{1} << 10) return absl::StrFormat("%.1f KiB", number / 0x1p10);
  return absl::StrCat(bytes, " B");
}

}  // namespace mantissa::planner
