// What tests on the device under test derive from: they skip where there is none. Example:
//
//   class MaskTest : public OnDevice<testing::TestWithParam<Element>> {};
#ifndef MANTISSA_TESTS_KERNELS_PACKED_FIXTURE_H_
#define MANTISSA_TESTS_KERNELS_PACKED_FIXTURE_H_

#include <string>

#include "gtest/gtest.h"
#include "tests/kernels/packed/device.h"

namespace mantissa::kernels {

template <typename Test>
class OnDevice : public Test {
 protected:
  void SetUp() override {
    if (const std::string why = WhyNoDevice(); !why.empty()) GTEST_SKIP() << why;
  }
};

}  // namespace mantissa::kernels

#endif  // MANTISSA_TESTS_KERNELS_PACKED_FIXTURE_H_
