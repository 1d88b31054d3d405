// Everything in the API has a comment: files' messages, fields, enums, values, services, methods.
#include <google/protobuf/descriptor.h>
#include <google/protobuf/descriptor.pb.h>

#include <string>
#include <vector>

#include "base/file.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace mantissa {
namespace {

using ::google::protobuf::Descriptor;
using ::google::protobuf::DescriptorPool;
using ::google::protobuf::EnumDescriptor;
using ::google::protobuf::FileDescriptor;
using ::google::protobuf::FileDescriptorProto;
using ::google::protobuf::FileDescriptorSet;
using ::google::protobuf::ServiceDescriptor;
using ::google::protobuf::SourceLocation;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

// Arguments of the program: FileDescriptorSets with source information.
std::vector<std::string>& DescriptorFiles() {
  static auto* const files = new std::vector<std::string>;
  return *files;
}

struct Findings {
  int checked = 0;
  std::vector<std::string> uncommented;  // full names
};

template <typename Thing>
void Check(const Thing& thing, Findings& findings) {
  SourceLocation location;
  ++findings.checked;
  // A comment of one character says nothing.
  if (!thing.GetSourceLocation(&location) ||
      location.leading_comments.size() + location.trailing_comments.size() < 4) {
    findings.uncommented.push_back(thing.full_name());
  }
}

void CheckEnum(const EnumDescriptor& type, Findings& findings) {
  Check(type, findings);
  for (int i = 0; i < type.value_count(); ++i) Check(*type.value(i), findings);
}

void CheckMessage(const Descriptor& type, Findings& findings) {
  if (type.options().map_entry()) return;  // made by protoc
  Check(type, findings);
  for (int i = 0; i < type.field_count(); ++i) Check(*type.field(i), findings);
  for (int i = 0; i < type.nested_type_count(); ++i) CheckMessage(*type.nested_type(i), findings);
  for (int i = 0; i < type.enum_type_count(); ++i) CheckEnum(*type.enum_type(i), findings);
}

void CheckService(const ServiceDescriptor& service, Findings& findings) {
  Check(service, findings);
  for (int i = 0; i < service.method_count(); ++i) Check(*service.method(i), findings);
}

void CheckFile(const FileDescriptor& file, Findings& findings) {
  for (int i = 0; i < file.message_type_count(); ++i) CheckMessage(*file.message_type(i), findings);
  for (int i = 0; i < file.enum_type_count(); ++i) CheckEnum(*file.enum_type(i), findings);
  for (int i = 0; i < file.service_count(); ++i) CheckService(*file.service(i), findings);
}

Findings CheckSet(const FileDescriptorSet& set, const std::string& package_prefix) {
  DescriptorPool pool;
  Findings findings;
  for (const FileDescriptorProto& proto : set.file()) {
    const FileDescriptor* file = pool.BuildFile(proto);
    if (file == nullptr) {
      ADD_FAILURE() << proto.name();
    } else if (file->package().rfind(package_prefix, 0) == 0) {
      CheckFile(*file, findings);
    }
  }
  return findings;
}

TEST(ProtoComments, EveryElementOfTheApiHasOne) {
  ASSERT_THAT(DescriptorFiles(), testing::SizeIs(2));
  for (const std::string& path : DescriptorFiles()) {
    FileDescriptorSet set;
    ASSERT_TRUE(set.ParseFromString(*RealFileSystem().Read(path))) << path;
    const Findings findings = CheckSet(set, "mantissa.");
    EXPECT_GT(findings.checked, 20) << path;
    EXPECT_THAT(findings.uncommented, IsEmpty()) << path;
  }
}

TEST(ProtoComments, ElementsWithoutCommentInASampleAreFound) {
  FileDescriptorSet set;
  FileDescriptorProto& file = *set.add_file();
  file.set_name("a.proto");
  file.set_package("mantissa.sample");
  auto& message = *file.add_message_type();
  message.set_name("M");
  for (int number : {1, 2}) {
    auto& field = *message.add_field();
    field.set_name("f" + std::to_string(number));
    field.set_number(number);
    field.set_type(google::protobuf::FieldDescriptorProto::TYPE_INT32);
    field.set_label(google::protobuf::FieldDescriptorProto::LABEL_OPTIONAL);
  }
  const auto comment = [&](std::vector<int> path) {
    auto& location = *file.mutable_source_code_info()->add_location();
    for (int step : path) location.add_path(step);
    for (int at : {0, 0, 1}) location.add_span(at);
    location.set_leading_comments(" Says something.\n");
  };
  comment({4, 0});        // message 0
  comment({4, 0, 2, 0});  // its field 0
  const Findings findings = CheckSet(set, "mantissa.");
  EXPECT_EQ(findings.checked, 3);
  EXPECT_THAT(findings.uncommented, ElementsAre("mantissa.sample.M.f2"));
}

}  // namespace
}  // namespace mantissa

int main(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  mantissa::DescriptorFiles().assign(argv + 1, argv + argc);
  return RUN_ALL_TESTS();
}
