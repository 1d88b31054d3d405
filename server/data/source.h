// server/data/source.h
//
// What every reader starts from: named bytes, the options, and a budget for what they decode to.

#ifndef MANTISSA_SERVER_DATA_SOURCE_H_
#define MANTISSA_SERVER_DATA_SOURCE_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "server/data/dataset.h"

namespace mantissa::data {

// A file of the data set, or a member of an archive in it. The bytes are not owned.
struct NamedBytes {
  std::string name;
  absl::string_view bytes;
};

// Bytes that decoded data may still take. Not thread-safe.
class Budget {
 public:
  explicit Budget(int64_t limit) : limit_(limit), left_(limit) {}

  int64_t left() const { return left_; }
  // ResourceExhausted, naming `name`, where fewer than `bytes` are left. nullopt: more than fits
  // into 64 bits.
  absl::Status Take(absl::string_view name, std::optional<int64_t> bytes) {
    if (!bytes || *bytes > left_) {
      return absl::ResourceExhaustedError(
          absl::StrCat(name, ": the decoded samples take more than ", limit_,
                       " bytes, the limit. Use fewer or smaller ones."));
    }
    left_ -= *bytes;
    return absl::OkStatus();
  }

 private:
  int64_t limit_, left_;
};

// What one data set is read with.
struct ReadContext {
  const LoadOptions& options;
  Budget budget{options.max_decoded_bytes};
  // Of the files' bytes, for sources that go on reading them.
  std::shared_ptr<const void> owner = nullptr;
};

}  // namespace mantissa::data

#endif  // MANTISSA_SERVER_DATA_SOURCE_H_
