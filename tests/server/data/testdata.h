// tests/server/data/testdata.h
//
// Files that make_testdata.py wrote.
//
//   EXPECT_EQ(ParseNpy("a.npy", Testdata("corpus/npy/f4.npy"))->dtype(), "float32");

#ifndef MANTISSA_TESTS_SERVER_DATA_TESTDATA_H_
#define MANTISSA_TESTS_SERVER_DATA_TESTDATA_H_

#include <cstdlib>
#include <string>

#include "absl/strings/string_view.h"
#include "base/file.h"
#include "base/status.h"

namespace mantissa::data {

inline std::string TestdataPath(absl::string_view name) {
  return JoinPath(std::getenv("TEST_SRCDIR"), "mantissa/tests/server/data", name);
}

inline std::string Testdata(absl::string_view name) {
  absl::StatusOr<std::string> bytes = RealFileSystem().Read(TestdataPath(name));
  MANTISSA_CHECK_OK(bytes);
  return *std::move(bytes);
}

// A file of corpus/ and a part of the error that it must give; "" if it is to be read.
struct HostileFile {
  const char* file;
  const char* error;
};

}  // namespace mantissa::data

#endif  // MANTISSA_TESTS_SERVER_DATA_TESTDATA_H_
