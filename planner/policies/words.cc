#include "planner/policies/words.h"

#include "absl/strings/str_cat.h"

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

}  // namespace mantissa::planner
