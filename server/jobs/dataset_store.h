// server/jobs/dataset_store.h
//
// Data sets: names for lists of blobs, with what a worker found in them.
//
//   RETURN_IF_ERROR(store.Insert(dataset));
//   ASSIGN_OR_RETURN(v1::Dataset dataset, store.Get("digits"));
//
// Thread-safe.
#ifndef MANTISSA_SERVER_JOBS_DATASET_STORE_H_
#define MANTISSA_SERVER_JOBS_DATASET_STORE_H_

#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "mantissa/v1/dataset.pb.h"
#include "server/jobs/state_database.h"

namespace mantissa::jobs {

struct DatasetPage {
  std::vector<v1::Dataset> datasets;
  bool more = false;  // others come after them
};

// SHA-256 over names and hashes of the files and the options: equal means equal data.
// REQUIRES: defaults are filled in.
std::string ContentSha256(const v1::CreateDatasetRequest& request);

// ALREADY_EXISTS unless `known` has that content.
absl::Status CheckSameContent(const v1::Dataset& known, absl::string_view content_sha256);

class DatasetStore {
 public:
  explicit DatasetStore(StateDatabase& state) : state_(state) {}

  // ALREADY_EXISTS if the name is taken by other bytes; OK, and nothing is changed, by the same.
  // FAILED_PRECONDITION if a blob has gone.
  absl::Status Insert(const v1::Dataset& dataset);
  absl::StatusOr<v1::Dataset> Get(absl::string_view name);
  absl::StatusOr<std::optional<v1::Dataset>> Find(absl::string_view name);
  // By name, those after `after`: at most `limit`, and fewer where they are large.
  absl::StatusOr<DatasetPage> List(absl::string_view after, int limit);
  // Returns the blobs that it had. FAILED_PRECONDITION while a job that has not ended uses it.
  absl::StatusOr<std::vector<std::string>> Remove(absl::string_view name);

 private:
  StateDatabase& state_;
};

}  // namespace mantissa::jobs

#endif  // MANTISSA_SERVER_JOBS_DATASET_STORE_H_
