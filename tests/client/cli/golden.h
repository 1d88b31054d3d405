// tests/client/cli/golden.h
//
// Output that is promised, kept in files beside the test.
//
//   ExpectGolden("get.json", io.out());
//
// After a change that is meant: bazel run //tests/client/cli:app_test writes them again.

#ifndef MANTISSA_TESTS_CLIENT_CLI_GOLDEN_H_
#define MANTISSA_TESTS_CLIENT_CLI_GOLDEN_H_

#include <gtest/gtest.h>

#include <cstdlib>
#include <string>

#include "base/file.h"
#include "base/status.h"

namespace mantissa::cli {

inline void ExpectGolden(const std::string& name, const std::string& actual) {
  const std::string path = JoinPath("tests/client/cli/golden", name);
  // Set by `bazel run` only.
  const char* tree = std::getenv("BUILD_WORKSPACE_DIRECTORY");
  if (tree != nullptr) {
    MANTISSA_CHECK_OK(RealFileSystem().WriteAtomically(JoinPath(tree, path), actual));
    return;
  }
  const auto expected = RealFileSystem().Read(path);
  ASSERT_TRUE(expected.ok()) << expected.status();
  EXPECT_EQ(actual, *expected) << path;
}

}  // namespace mantissa::cli

#endif  // MANTISSA_TESTS_CLIENT_CLI_GOLDEN_H_
