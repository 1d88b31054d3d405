// planner/policies/words.h
//
// Numbers in sentences for people.
//
//   WithThousands(16787520)  // "16,787,520"
//   Ordinal(3)               // "3rd"
//   HumanBytes(3 << 29)      // "1.50 GiB"

#ifndef MANTISSA_PLANNER_POLICIES_WORDS_H_
#define MANTISSA_PLANNER_POLICIES_WORDS_H_

#include <cstdint>
#include <string>

namespace mantissa::planner {

// REQUIRES: number >= 0.
std::string WithThousands(int64_t number);

// REQUIRES: number >= 1.
std::string Ordinal(int number);

// "17 B", "1.5 KiB", "12.5 MiB", "1.50 GiB". REQUIRES: bytes >= 0.
std::string HumanBytes(int64_t bytes);

}  // namespace mantissa::planner

#endif  // MANTISSA_PLANNER_POLICIES_WORDS_H_
