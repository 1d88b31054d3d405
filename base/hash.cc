#include "base/hash.h"

#include <openssl/evp.h>

#include "absl/strings/escaping.h"
#include "base/status.h"

namespace mantissa {

Sha256::Sha256() : context_(EVP_MD_CTX_new()) {
  MANTISSA_CHECK(context_ != nullptr);
  Start();
}

Sha256::~Sha256() { EVP_MD_CTX_free(context_); }

void Sha256::Start() { MANTISSA_CHECK(EVP_DigestInit_ex(context_, EVP_sha256(), nullptr) == 1); }

void Sha256::Update(absl::string_view bytes) {
  MANTISSA_CHECK(EVP_DigestUpdate(context_, bytes.data(), bytes.size()) == 1);
}

std::string Sha256::Finish() {
  std::string digest(32, '\0');
  MANTISSA_CHECK(
      EVP_DigestFinal_ex(context_, reinterpret_cast<unsigned char*>(digest.data()), nullptr) == 1);
  Start();
  return absl::BytesToHexString(digest);
}

std::string Sha256Hex(absl::string_view bytes) {
  Sha256 hash;
  hash.Update(bytes);
  return hash.Finish();
}

bool IsSha256Hex(absl::string_view text) {
  return text.size() == 64 && text.find_first_not_of("0123456789abcdef") == absl::string_view::npos;
}

}  // namespace mantissa
