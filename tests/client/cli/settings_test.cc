#include "client/cli/settings.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/status.h"
#include "base/temp_folder.h"
#include "client/cli/commands.h"
#include "client/cli/parse.h"
#include "tests/client/cli/fake_io.h"

namespace mantissa::cli {
namespace {

using testing::HasSubstr;

class SettingsTest : public testing::Test {
 protected:
  SettingsTest() { io_.environment["XDG_CONFIG_HOME"] = folder_.path(); }

  std::string Write(const std::string& name, const std::string& text) {
    const std::string path = JoinPath(folder_.path(), name);
    MANTISSA_CHECK_OK(io_.files().MakeFolders(ParentPath(path)));
    MANTISSA_CHECK_OK(io_.files().WriteAtomically(path, text));
    return path;
  }

  absl::StatusOr<Settings> Resolve(std::vector<std::string> words = {"list"}) {
    return ResolveSettings(*Parse(Commands(), words), io_);
  }

  TempFolder folder_;
  FakeIo io_;
};

TEST_F(SettingsTest, DefaultsToServerOfThisMachine) {
  const auto settings = Resolve();
  ASSERT_TRUE(settings.ok());
  EXPECT_EQ(settings->connect.address, "127.0.0.1:7070");
  EXPECT_FALSE(settings->server_configured);
  EXPECT_FALSE(settings->json);
}

TEST_F(SettingsTest, FlagGoesBeforeVariableBeforeFile) {
  Write("mantissa/config", "# mine\n\nserver = file:1\n  output=json  \n");
  EXPECT_EQ(Resolve()->connect.address, "file:1");
  EXPECT_TRUE(Resolve()->json);
  io_.environment["MANTISSA_SERVER"] = "variable:1";
  EXPECT_EQ(Resolve()->connect.address, "variable:1");
  EXPECT_EQ(Resolve({"list", "-s", "flag:1", "-o", "table"})->connect.address, "flag:1");
  EXPECT_FALSE(Resolve({"list", "-o", "table"})->json);
  EXPECT_TRUE(Resolve()->server_configured);
}

TEST_F(SettingsTest, ReadsTokenFromFirstLineOfFile) {
  const std::string path = Write("token", "s3cret \nsecond line\n");
  EXPECT_EQ(Resolve({"list", "--token-file", path})->connect.token, "s3cret");
  io_.environment["MANTISSA_TOKEN"] = "from-variable";
  EXPECT_EQ(Resolve()->connect.token, "from-variable");
  EXPECT_EQ(Resolve({"list", "--token-file", path})->connect.token, "s3cret");
  EXPECT_FALSE(Resolve({"list", "--token-file", path + "x"}).ok());
}

TEST_F(SettingsTest, ReadsCertificatesAndTimeout) {
  const std::string path = Write("ca.pem", "PEM");
  const auto settings = Resolve({"list", "--tls-ca", path, "--timeout", "250ms"});
  ASSERT_TRUE(settings.ok());
  EXPECT_EQ(settings->connect.tls_roots, "PEM");
  EXPECT_EQ(settings->connect.call_timeout, absl::Milliseconds(250));
  EXPECT_FALSE(Resolve({"list", "--timeout", "30"}).ok());
  EXPECT_FALSE(Resolve({"list", "--timeout", "-1s"}).ok());
}

TEST_F(SettingsTest, NamesLineOfFileThatItDoesNotUnderstand) {
  Write("mantissa/config", "server = a:1\nsevrer = b:1\n");
  const auto settings = Resolve();
  EXPECT_TRUE(absl::IsInvalidArgument(settings.status()));
  EXPECT_THAT(std::string(settings.status().message()), HasSubstr("line 2 is 'sevrer = b:1'"));
  EXPECT_THAT(std::string(settings.status().message()), HasSubstr("token_file"));
}

TEST_F(SettingsTest, FindsFileBelowHomeWithoutXdgVariable) {
  io_.environment = {{"HOME", "/home/me"}};
  EXPECT_EQ(SettingsPath(io_), "/home/me/.config/mantissa/config");
  io_.environment.clear();
  EXPECT_EQ(SettingsPath(io_), "");
}

}  // namespace
}  // namespace mantissa::cli
