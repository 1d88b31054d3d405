// tests/server/models/refusal.h
//
// What a refusal must be: by the file's name, with the reason, and safe to print.

#ifndef MANTISSA_TESTS_SERVER_MODELS_REFUSAL_H_
#define MANTISSA_TESTS_SERVER_MODELS_REFUSAL_H_

#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "server/models/pt2.h"

namespace mantissa::models {

inline absl::Status StatusOf(const std::string& bytes, const Limits& limits = {}) {
  return ReadPt2Bytes("m.pt2", bytes, limits).status();
}

inline void ExpectRefused(const absl::Status& status, absl::string_view reason) {
  EXPECT_FALSE(status.ok());
  // The file's name, once.
  EXPECT_THAT(std::string(status.message()), ::testing::StartsWith("m.pt2: "));
  EXPECT_THAT(std::string(status.message().substr(1)),
              ::testing::Not(::testing::HasSubstr("m.pt2: ")));
  EXPECT_THAT(std::string(status.message()), ::testing::HasSubstr(std::string(reason)));
  for (const char c : status.message()) EXPECT_GE(static_cast<unsigned char>(c), 0x20);
}

}  // namespace mantissa::models

#endif  // MANTISSA_TESTS_SERVER_MODELS_REFUSAL_H_
