// client/cc/dataset.h
//
// Pushes a data set: finds out what a path holds, uploads what the server lacks, creates it.
//
//   v1::CreateDatasetRequest request;
//   request.set_name("digits");
//   ASSIGN_OR_RETURN(PushResult result, PushDataset(client, files, "digits.npz", request, {}));
//   result.dataset.train_samples();
//
// A path may be: a .npz or .safetensors file, a .tar of an image folder or of WebDataset, a token
// file (.bin or .npy), a folder of CIFAR-10/100 binaries, of IDX files (MNIST's names), of .tar
// shards, of .npy arrays, of token files, or of images by class, with or without `train` and `test`
// above the classes; such images travel in shards, so that a push that broke off goes on with the
// one it was at. Whether the bytes are what they seem is for the server to say.

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

enum class DataKind { kNpz, kNpy, kSafetensors, kTokens, kTar, kCifar, kIdx, kImageFolder };

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
// of it. Where `read` has a sequence length or says so, .bin and .npy files are tokens, whatever
// their names.
absl::StatusOr<DataSource> RecogniseData(FileSystem& files, const std::string& path,
                                         const v1::ReadOptions& read = {});

struct PushOptions {
  TransferOptions transfer;
  // Folder for a .tar of an image folder while it is sent.
  std::string temp_folder = "/tmp";
  // Bytes of images after which a new .tar is begun.
  int64_t shard_bytes = int64_t{1} << 30;
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
