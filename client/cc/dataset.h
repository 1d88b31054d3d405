// client/cc/dataset.h
//
// Pushes a data set: finds out what a path holds, uploads what the server lacks, creates it.
//
//   v1::CreateDatasetRequest request;
//   request.set_name("digits");
//   ASSIGN_OR_RETURN(PushResult result, PushDataset(client, files, "digits.npz", request, {}));
//   result.dataset.train_samples();
//
// A path may be: a .npz file, a .tar of an image folder, a folder of CIFAR-10/100 binaries, a
// folder of IDX files (MNIST's names), a folder of images by class, with or without `train` and
// `test` above the classes. Whether the bytes are what they seem is for the server to say.

#ifndef MANTISSA_CLIENT_CC_DATASET_H_
#define MANTISSA_CLIENT_CC_DATASET_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "base/file.h"
#include "client/cc/client.h"
#include "client/cc/transfer.h"
#include "mantissa/v1/dataset.pb.h"

namespace mantissa::client {

enum class DataKind { kNpz, kTar, kCifar, kIdx, kImageFolder };

// "CIFAR binary", for people.
const char* DataKindName(DataKind kind);

struct DataSource {
  DataKind kind;
  // Folder of the files; for a single file the folder it is in.
  std::string folder;
  // Names in the folder, sorted; for an image folder its images.
  std::vector<std::string> names;
};

// NotFound if there is nothing at `path`; InvalidArgument, with what is understood, if it is none
// of it.
absl::StatusOr<DataSource> RecogniseData(FileSystem& files, const std::string& path);

struct PushOptions {
  TransferOptions transfer;
  // Folder for the .tar of an image folder while it is sent.
  std::string temp_folder = "/tmp";
};

struct PushResult {
  v1::Dataset dataset;
  DataKind kind;
  // Bytes that travelled; 0 if the server had them all.
  int64_t sent_bytes = 0;
};

// `request` has the name and the options; its files are filled in here.
absl::StatusOr<PushResult> PushDataset(Client& client, FileSystem& files, const std::string& path,
                                       v1::CreateDatasetRequest request,
                                       const PushOptions& options);

}  // namespace mantissa::client

#endif  // MANTISSA_CLIENT_CC_DATASET_H_
