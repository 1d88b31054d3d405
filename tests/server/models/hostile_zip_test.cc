// Archives that mean harm or are broken, one thing at a time: each is refused, by name and reason.

#include <functional>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "gtest/gtest.h"
#include "server/models/pt2.h"
#include "tests/server/models/archive_builder.h"
#include "tests/server/models/refusal.h"

namespace mantissa::models {
namespace {

constexpr Limits kLimits{.json_bytes = 1 << 20, .compressed_bytes = 1 << 20};

// A change of the zip's items, and a part of the error that it must give.
struct Case {
  const char* name;
  const char* reason;
  std::function<void(std::vector<ZipItem>&)> change;
};

const Case kCases[] = {
    {"path_escape", "leaves the archive",
     [](std::vector<ZipItem>& items) {
       items.push_back({"archive/../../etc/passwd", "x"});
     }},
    {"absolute_path", "leaves the archive",
     [](std::vector<ZipItem>& items) {
       items.push_back({"/etc/passwd", "x"});
     }},
    {"backslash_path", "leaves the archive",
     [](std::vector<ZipItem>& items) {
       items.push_back({"archive\\..\\x", "x"});
     }},
    {"control_character_in_name", "leaves the archive",
     [](std::vector<ZipItem>& items) {
       items.push_back({"archive/\x1b[2J", "x"});
     }},
    {"link", "is a link",
     [](std::vector<ZipItem>& items) {
       items.push_back({.name = "archive/l", .content = "/etc/passwd", .mode = 0120777});
     }},
    {"duplicate_entry", "occurs twice",
     [](std::vector<ZipItem>& items) { items.push_back(items[0]); }},
    {"overlapping_entries", "described in two ways",
     [](std::vector<ZipItem>& items) {
       items.push_back({.name = "archive/data/weights/weight_9",
                        .content = items.back().content,
                        .shares_data = true});
     }},
    {"encrypted", "is encrypted", [](std::vector<ZipItem>& items) { items[0].flags = 1; }},
    {"wrong_size", "has two sizes",
     [](std::vector<ZipItem>& items) {
       items.back().claimed_size = 1u << 30, items.back().zip64 = true;
     }},
    {"wrong_checksum_of_the_program", "checksum",
     [](std::vector<ZipItem>& items) { items[4].claimed_crc = 1; }},
    {"bomb_in_the_program", "unpacks to",
     [](std::vector<ZipItem>& items) {
       items[4].content.append(size_t{2} << 20, ' ');
       items[4].deflated = true;
     }},
    {"bomb_that_lies_about_its_size", "holds more than it says",
     [](std::vector<ZipItem>& items) {
       items[4].content.append(size_t{2} << 20, ' ');
       items[4].deflated = true;
       items[4].claimed_size = 1000;
     }},
    {"size_that_no_stream_can_give", "more than",
     [](std::vector<ZipItem>& items) {
       items[4].deflated = true, items[4].claimed_size = 1 << 20;
     }},
    {"bomb_in_the_weights", "unpacks to",
     [](std::vector<ZipItem>& items) {
       items[0].content.assign(size_t{2} << 20, '\0');
       items[0].deflated = true;
     }},
    {"no_program", "no models/*.json",
     [](std::vector<ZipItem>& items) { items.erase(items.begin() + 4); }},
    {"two_programs", "2 models",
     [](std::vector<ZipItem>& items) {
       items.push_back(items[4]);
       items.back().name = "archive/models/other.json";
     }},
    {"no_weights", "weight_0, which the archive does not have",
     [](std::vector<ZipItem>& items) { items.erase(items.begin()); }},
    {"pickled_weights_of_torch_2_8", "pickles are not read",
     [](std::vector<ZipItem>& items) {
       items[2] = {"archive/data/weights/model.pt", "PK"};
     }},
    {"layout_of_torch_2_7", "torch 2.7 or older",
     [](std::vector<ZipItem>& items) {
       items = std::vector<ZipItem>{{"serialized_exported_program.json", "{}"}};
     }},
    {"torchscript", "pickle, of torch.save or TorchScript",
     [](std::vector<ZipItem>& items) {
       items = std::vector<ZipItem>{{"m/data.pkl", "x"}, {"m/code/__torch__.py", "x"}};
     }},
    {"compiled_model", "AOTInductor",
     [](std::vector<ZipItem>& items) {
       items = std::vector<ZipItem>{{"a/data/aotinductor/model/x.so", "x"}};
     }},
    {"big_endian", "not in the order",
     [](std::vector<ZipItem>& items) { items.back().content = "big"; }},
    {"empty", "no models/*.json", [](std::vector<ZipItem>& items) { items.clear(); }},
};
class HostileZipTest : public ::testing::TestWithParam<Case> {};

TEST_P(HostileZipTest, IsRefusedWithItsReason) {
  std::vector<ZipItem> items = ItemsOf(ModelFiles());
  GetParam().change(items);
  ExpectRefused(StatusOf(MakeZip(items), kLimits), GetParam().reason);
}

INSTANTIATE_TEST_SUITE_P(Hostile, HostileZipTest, ::testing::ValuesIn(kCases),
                         [](const auto& info) { return std::string(info.param.name); });

TEST(HostileArchive, OneThatIsCutAnywhereIsRefused) {
  const std::string whole = MakeArchive(ModelFiles());
  ASSERT_TRUE(StatusOf(whole).ok());
  for (size_t size = 0; size < whole.size(); size += 7) {
    EXPECT_FALSE(StatusOf(whole.substr(0, size)).ok()) << size;
  }
}

TEST(HostileArchive, JsonOfHundredThousandLevelsIsRefused) {
  constexpr int kLevels = 100'000;
  ModelFiles files;
  files.program = std::string(kLevels, '[') + std::string(kLevels, ']');
  ExpectRefused(StatusOf(MakeArchive(files)), "inside one another");
  files.program = absl::StrReplaceAll(std::string(kLevels, '#'), {{"#", "{\"a\":"}});
  ExpectRefused(StatusOf(MakeArchive(files)), "inside one another");
  // What nobody reads counts as well.
  files.program = absl::StrCat("{\"stack_trace\":", std::string(kLevels, '['));
  ExpectRefused(StatusOf(MakeArchive(files)), "inside one another");
}

TEST(HostileArchive, MoreValuesThanTheLimitAreRefused) {
  ModelFiles files;
  files.program = "[0";
  for (int i = 0; i < 100; ++i) files.program += ",0";
  files.program += "]";
  const absl::Status status =
      ReadPt2Bytes("m.pt2", MakeArchive(files), {.json_values = 50}).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kResourceExhausted);
  ExpectRefused(status, "more than 50 values");
}

TEST(HostileArchive, DamagedWeightsAreFoundWhenTheyAreRead) {
  std::vector<ZipItem> items = ItemsOf(ModelFiles());
  items[0].claimed_crc = 1;
  const std::string bytes = MakeZip(items);
  const absl::StatusOr<Archive> archive = ReadPt2Bytes("m.pt2", bytes, {});
  ASSERT_TRUE(archive.ok()) << archive.status();
  std::vector<char> weight(12 * sizeof(float));
  ExpectRefused(archive->Read(archive->parameters[0], absl::MakeSpan(weight)), "checksum");
}

}  // namespace
}  // namespace mantissa::models
