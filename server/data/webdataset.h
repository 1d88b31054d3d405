// server/data/webdataset.h
//
// Images in the layout of the webdataset library: the members of tar archives, called shards, in
// which files that differ only behind the first dot of their names belong together.
//
//   train-0000.tar: 000001.jpg 000001.cls 000002.jpg 000002.cls ...
//
// The image is .jpg, .jpeg or .png; its class a number in .cls, or "label" or "cls" in a .json
// object. Others are passed over. Shards with "val" or "test" in their names are for testing.

#ifndef MANTISSA_SERVER_DATA_WEBDATASET_H_
#define MANTISSA_SERVER_DATA_WEBDATASET_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "server/data/dataset.h"
#include "server/data/source.h"

namespace mantissa::data {

// A tar archive of the data set.
struct Shard {
  std::string name;
  std::vector<NamedBytes> members;
};

// Whether there are classes beside images.
bool IsWebDataset(absl::Span<const Shard> shards);

// Samples in the order of the shards' names and their members. InvalidArgument names a sample that
// has no image, no class, or one that is no class.
absl::StatusOr<LoadedDataset> ReadWebDataset(absl::Span<const Shard> shards, ReadContext& context);

}  // namespace mantissa::data

#endif  // MANTISSA_SERVER_DATA_WEBDATASET_H_
