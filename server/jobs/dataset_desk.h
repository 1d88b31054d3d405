// server/jobs/dataset_desk.h
//
// What clients do with data sets.
//
//   desk.Create(request, [](absl::StatusOr<v1::Dataset> dataset) { ... });
//   RETURN_IF_ERROR(desk.Delete("digits"));
//
// Thread-safe.
#ifndef MANTISSA_SERVER_JOBS_DATASET_DESK_H_
#define MANTISSA_SERVER_JOBS_DATASET_DESK_H_

#include <functional>
#include <optional>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "base/clock.h"
#include "mantissa/v1/dataset.pb.h"
#include "server/jobs/blob_store.h"
#include "server/jobs/dataset_store.h"
#include "server/jobs/inspections.h"

namespace mantissa::jobs {

class DatasetDesk {
 public:
  using Done = std::function<void(absl::StatusOr<v1::Dataset>)>;

  DatasetDesk(DatasetStore& store, BlobStore& blobs, Inspections& inspections, Clock& clock)
      : store_(store), blobs_(blobs), inspections_(inspections), clock_(clock) {}

  // As DatasetService.CreateDataset says. `done` is called once, now or on another thread.
  void Create(v1::CreateDatasetRequest request, Done done);

  // The blobs go with it if nothing else has them.
  absl::Status Delete(absl::string_view name);

 private:
  // The known data set if it is the same, nullopt if there is none and it can be made.
  absl::StatusOr<std::optional<v1::Dataset>> CheckNew(v1::CreateDatasetRequest& request);
  absl::StatusOr<v1::Dataset> Keep(const v1::CreateDatasetRequest& request, v1::Dataset found);

  DatasetStore& store_;
  BlobStore& blobs_;
  Inspections& inspections_;
  Clock& clock_;
};

}  // namespace mantissa::jobs

#endif  // MANTISSA_SERVER_JOBS_DATASET_DESK_H_
