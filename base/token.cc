#include "base/token.h"

#include <openssl/crypto.h>
#include <openssl/rand.h>

#include "absl/strings/escaping.h"
#include "base/status.h"

namespace mantissa {

std::string RandomToken(int bytes) {
  std::string raw(bytes, '\0');
  // Fails only where the system has no source of randomness, which Linux does not do.
  MANTISSA_CHECK(RAND_bytes(reinterpret_cast<unsigned char*>(raw.data()), bytes) == 1);
  return absl::BytesToHexString(raw);
}

bool TokensEqual(absl::string_view a, absl::string_view b) {
  return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

}  // namespace mantissa
