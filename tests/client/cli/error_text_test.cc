#include "client/cli/error_text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "client/cc/errors.h"
#include "tests/client/fake_server.h"

namespace mantissa::cli {
namespace {

using client::AsFromCall;

TEST(ErrorTextTest, MapsEachKindOfErrorToItsExitCode) {
  EXPECT_EQ(ExitCodeOf(AsFromCall(absl::UnavailableError(""))), kNotReachable);
  EXPECT_EQ(ExitCodeOf(AsFromCall(absl::DeadlineExceededError(""))), kNotReachable);
  for (const absl::Status& status :
       {absl::InvalidArgumentError(""), absl::NotFoundError(""), absl::PermissionDeniedError(""),
        absl::UnauthenticatedError(""), absl::ResourceExhaustedError(""),
        absl::InternalError("")}) {
    EXPECT_EQ(ExitCodeOf(AsFromCall(status)), kRefused) << status;
    EXPECT_EQ(ExitCodeOf(status), kUsage) << status;
  }
  EXPECT_EQ(ExitCodeOf(absl::CancelledError("stopped")), kDetached);
}

TEST(ErrorTextTest, SaysWhatFieldAndRemedy) {
  EXPECT_EQ(RenderError(AsFromCall(
                BadRequestError("the job is not valid", "spec.training.learning_rate",
                                "is nan; allowed a finite number above 0. Use 0.1 with SGD."))),
            "mantissa: refused: the job is not valid\n"
            "  spec.training.learning_rate: is nan; allowed a finite number above 0. Use 0.1 with "
            "SGD.\n");
}

TEST(ErrorTextTest, DoesNotSayTwiceWhatMessageSaysToo) {
  EXPECT_EQ(RenderError(AsFromCall(
                BadRequestError("spec.lr is nan; use 0.1", "spec.lr", "is nan; use 0.1"))),
            "mantissa: refused: spec.lr is nan; use 0.1\n");
}

TEST(ErrorTextTest, TellsHowToReachServer) {
  EXPECT_EQ(RenderError(AsFromCall(absl::UnavailableError("no server answers at a:1"))),
            "mantissa: not reachable: no server answers at a:1\n"
            "  Start one with `mantissad --data-dir DIR`, name another with --server HOST:PORT or "
            "MANTISSA_SERVER, or give --tls-ca FILE if it encrypts.\n");
}

TEST(ErrorTextTest, MakesTextOfServerPrintable) {
  const std::string text = RenderError(
      AsFromCall(BadRequestError("evil\x1b[2J", "field\x1b[2J", "description\r\x1b[2J")));
  EXPECT_THAT(text, testing::Not(testing::HasSubstr("\x1b")));
  EXPECT_THAT(text, testing::HasSubstr("field\\x1b[2J: description\\x0d"));
}

TEST(ErrorTextTest, ReadsDetailsThatCannotBeDecodedAsNone) {
  absl::Status status = AsFromCall(absl::InvalidArgumentError("no"));
  status.SetPayload("type.googleapis.com/google.rpc.BadRequest", absl::Cord("\xff\xff"));
  EXPECT_EQ(RenderError(status), "mantissa: refused: no\n");
}

}  // namespace
}  // namespace mantissa::cli
