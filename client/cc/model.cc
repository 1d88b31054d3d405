#include "client/cc/model.h"

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "base/log.h"
#include "base/status.h"
#include "base/utf8.h"

namespace mantissa::client {
namespace {

// Of the 64 characters that a name may have, a dash and the start of the hash take 9.
constexpr size_t kStemLength = 55;
constexpr size_t kHashLength = 8;
constexpr size_t kFileNameBytes = 1024;

}  // namespace

std::string ModelNameOf(const LocalFile& file) {
  absl::string_view stem = BaseName(file.path);
  stem = stem.substr(0, stem.rfind('.'));
  std::string name;
  for (const char c : stem) {
    const char lower = absl::ascii_tolower(c);
    const bool fits = absl::ascii_isalnum(lower) || lower == '_' || lower == '-' || lower == '.';
    if (name.size() < kStemLength && (fits || !name.empty())) name += fits ? lower : '-';
  }
  while (!name.empty() && !absl::ascii_isalnum(name[0])) name.erase(0, 1);
  if (name.empty()) name = "model";
  return absl::StrCat(name, "-", file.sha256.substr(0, kHashLength));
}

absl::StatusOr<PushedModel> PushModel(Client& client, FileSystem& files, const LocalFile& file,
                                      v1::CreateModelRequest request,
                                      const TransferOptions& options) {
  request.set_sha256(file.sha256);
  request.set_size_bytes(file.size_bytes);
  // It is for people; the server takes no control characters.
  const std::string name = EscapeControlCharacters(BaseName(file.path));
  if (IsUtf8(name)) request.set_file_name(std::string(CutUtf8(name, kFileNameBytes)));
  ASSIGN_OR_RETURN(const UploadResult upload, UploadFile(client, files, file, options));
  PushedModel pushed{.sent_bytes = upload.sent_bytes};
  ASSIGN_OR_RETURN(pushed.model, client.CreateModel(request));
  return pushed;
}

}  // namespace mantissa::client
