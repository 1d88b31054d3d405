// Runs the script for bash in a real bash.

#include "client/cli/completion.h"

#include <gtest/gtest.h>

#include <cstdio>

#include "absl/strings/str_cat.h"
#include "base/file.h"
#include "base/status.h"
#include "base/temp_folder.h"
#include "client/cli/commands.h"

namespace mantissa::cli {
namespace {

class BashCompletionTest : public testing::Test {
 protected:
  // What bash offers for the last of `words`, a line each.
  std::string Complete(const std::string& words) {
    const std::string script = JoinPath(folder_.path(), "complete.bash");
    MANTISSA_CHECK_OK(RealFileSystem().WriteAtomically(
        script, absl::StrCat(*CompletionScript(Commands(), "bash"), "COMP_WORDS=(", words,
                             ")\nCOMP_CWORD=$((${#COMP_WORDS[@]} - 1))\ncd ", folder_.path(),
                             "\n_mantissa\nprintf '%s\\n' \"${COMPREPLY[@]}\"\n")));
    std::FILE* bash = popen(absl::StrCat("bash ", script, " 2>&1").c_str(), "r");
    std::string output;
    char buffer[4096];
    while (std::fgets(buffer, sizeof(buffer), bash) != nullptr) output += buffer;
    EXPECT_EQ(pclose(bash), 0);
    return output;
  }

  TempFolder folder_;
};

TEST_F(BashCompletionTest, OffersCommandsThenTheirWords) {
  EXPECT_EQ(Complete("mantissa sub"), "submit\n");
  EXPECT_EQ(Complete("mantissa dataset ''"), "push\nlist\ndescribe\nrm\n");
}

TEST_F(BashCompletionTest, OffersFlagsAndTheirChoices) {
  EXPECT_EQ(Complete("mantissa submit --low"), "--low-ratio\n--low-groups\n");
  EXPECT_EQ(Complete("mantissa submit --policy auto"), "autocast\n");
  EXPECT_EQ(Complete("mantissa plan --model x -o j"), "json\n");
  EXPECT_EQ(Complete("mantissa completion z"), "zsh\n");
}

TEST_F(BashCompletionTest, OffersFilesWherePathIsWanted) {
  MANTISSA_CHECK_OK(RealFileSystem().WriteAtomically(JoinPath(folder_.path(), "digits.npz"), "x"));
  EXPECT_EQ(Complete("mantissa submit --file dig"), "digits.npz\n");
  EXPECT_EQ(Complete("mantissa dataset push digits dig"), "digits.npz\n");
}

}  // namespace
}  // namespace mantissa::cli
