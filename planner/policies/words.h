// planner/policies/words.h
//
// Numbers in sentences for people.
//
//   WithThousands(16787520)  // "16,787,520"
//   Ordinal(3)               // "3rd"

#ifndef MANTISSA_PLANNER_POLICIES_WORDS_H_
#define MANTISSA_PLANNER_POLICIES_WORDS_H_

#include <cstdint>
#include <string>

namespace mantissa::planner {

// REQUIRES: number >= 0.
std::string WithThousands(int64_t number);

// REQUIRES: number >= 1.
std::string Ordinal(int number);

}  // namespace mantissa::planner

#endif  // MANTISSA_PLANNER_POLICIES_WORDS_H_
