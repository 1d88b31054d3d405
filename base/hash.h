// SHA-256, the name of content.
//
//   Sha256 hash;
//   hash.Update(chunk);
//   std::string name = hash.Finish();  // 64 lower-case hex digits
#ifndef MANTISSA_BASE_HASH_H_
#define MANTISSA_BASE_HASH_H_

#include <string>

#include "absl/strings/string_view.h"

struct evp_md_ctx_st;

namespace mantissa {

// Not thread-safe.
class Sha256 {
 public:
  Sha256();
  ~Sha256();

  void Update(absl::string_view bytes);

  // The digest of all bytes so far as 64 lower-case hex digits. Starts anew.
  std::string Finish();

 private:
  void Start();

  evp_md_ctx_st* const context_;
};

// The same of one string.
std::string Sha256Hex(absl::string_view bytes);

// Whether `text` is what they return: 64 lower-case hex digits.
bool IsSha256Hex(absl::string_view text);

}  // namespace mantissa

#endif  // MANTISSA_BASE_HASH_H_
