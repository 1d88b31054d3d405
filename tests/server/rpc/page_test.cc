#include "server/rpc/page.h"

#include <string>

#include "gtest/gtest.h"

namespace mantissa::rpc {
namespace {

TEST(Page, ATokenGivesItsPositionBack) {
  EXPECT_EQ(*ParsePageToken("jobs", MakePageToken("jobs", "42")), "42");
  EXPECT_EQ(*ParsePageToken("jobs", ""), "");
}

TEST(Page, ATokenOfAnotherCallOrOfNoneIsRefused) {
  for (const std::string& token : {MakePageToken("datasets", "a"), std::string("jobs:1"),
                                   std::string("\x01"), MakePageToken("jobs", "")}) {
    EXPECT_EQ(ParsePageToken("jobs", token).status().code(), absl::StatusCode::kInvalidArgument);
  }
}

TEST(Page, SizesOutsideTheirRangeAreRefused) {
  EXPECT_EQ(*PageSize(0), 100);
  EXPECT_EQ(*PageSize(1000), 1000);
  EXPECT_FALSE(PageSize(-1).ok());
  EXPECT_FALSE(PageSize(1001).ok());
}

}  // namespace
}  // namespace mantissa::rpc
