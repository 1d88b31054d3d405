#include "client/cc/model.h"

#include <string>

#include "gtest/gtest.h"

namespace mantissa::client {
namespace {

std::string NameOf(const std::string& path) {
  return ModelNameOf({.path = path, .sha256 = "0123456789abcdef"});
}

TEST(ModelNameOf, TakesTheFilesNameAndTheStartOfItsHash) {
  EXPECT_EQ(NameOf("/home/me/vit.pt2"), "vit-01234567");
  EXPECT_EQ(NameOf("resnet.v2.pt2"), "resnet.v2-01234567");
  EXPECT_EQ(NameOf("net"), "net-01234567");
}

TEST(ModelNameOf, LeavesNothingThatTheServerRefuses) {
  EXPECT_EQ(NameOf("My Net (2).pt2"), "my-net--2--01234567");
  EXPECT_EQ(NameOf("--x\x1b[31m.pt2"), "x--31m-01234567");
  EXPECT_EQ(NameOf(".pt2"), "model-01234567");
  EXPECT_EQ(NameOf("\u00e9.pt2"), "model-01234567");
  EXPECT_EQ(NameOf(std::string(200, 'a') + ".pt2").size(), 64u);
}

}  // namespace
}  // namespace mantissa::client
