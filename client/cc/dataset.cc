#include "client/cc/dataset.h"

#include <algorithm>
#include <array>
#include <utility>

#include "absl/algorithm/container.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "base/scratch_folder.h"
#include "base/status.h"
#include "client/cc/image_tar.h"

namespace mantissa::client {
namespace {

constexpr char kUnderstood[] =
    "a .npz file, a .tar of an image folder, a folder of CIFAR-10/100 binaries (data_batch_1.bin "
    "or train.bin), a folder of IDX files (train-images-idx3-ubyte), or a folder of JPEG/PNG "
    "images by class";

bool IsCifarName(absl::string_view name) {
  return (absl::StartsWith(name, "data_batch_") && absl::EndsWith(name, ".bin")) ||
         name == "test_batch.bin" || name == "train.bin" || name == "test.bin" ||
         name == "batches.meta.txt" || name == "fine_label_names.txt" ||
         name == "coarse_label_names.txt";
}

// MNIST's names, with "-" or "." before "idx", compressed or not.
bool IsIdxName(absl::string_view name) {
  return absl::StrContains(name, "idx1-ubyte") || absl::StrContains(name, "idx3-ubyte") ||
         absl::StrContains(name, "idx4-ubyte") || absl::EndsWith(name, ".idx");
}

std::vector<std::string> Select(const std::vector<std::string>& names,
                                bool (*wanted)(absl::string_view)) {
  std::vector<std::string> selected;
  absl::c_copy_if(names, std::back_inserter(selected), wanted);
  return selected;
}

absl::Status NotUnderstood(const std::string& path) {
  return absl::InvalidArgumentError(
      absl::StrCat(path, " is no data set that Mantissa knows; allowed: ", kUnderstood,
                   ". Other data can be written to a .npz with the arrays images and labels."));
}

absl::StatusOr<DataSource> RecogniseFile(const std::string& path) {
  const std::string lower = absl::AsciiStrToLower(path);
  if (absl::EndsWith(lower, ".npz")) {
    return DataSource{DataKind::kNpz, ParentPath(path), {BaseName(path)}};
  }
  if (absl::EndsWith(lower, ".tar")) {
    return DataSource{DataKind::kTar, ParentPath(path), {BaseName(path)}};
  }
  return NotUnderstood(path);
}

absl::StatusOr<DataSource> RecogniseFolder(FileSystem& files, const std::string& path) {
  ASSIGN_OR_RETURN(const std::vector<std::string> names, files.List(path));
  std::vector<std::string> cifar = Select(names, &IsCifarName);
  if (absl::c_any_of(cifar, [](const auto& name) { return absl::EndsWith(name, ".bin"); })) {
    return DataSource{DataKind::kCifar, path, std::move(cifar)};
  }
  std::vector<std::string> idx = Select(names, &IsIdxName);
  if (!idx.empty()) return DataSource{DataKind::kIdx, path, std::move(idx)};
  ASSIGN_OR_RETURN(std::vector<std::string> images, ListImages(files, path));
  if (!images.empty()) return DataSource{DataKind::kImageFolder, path, std::move(images)};
  return NotUnderstood(path);
}

// Uploads one file and notes it in the request.
class Pusher {
 public:
  Pusher(Client& client, FileSystem& files, const PushOptions& options,
         v1::CreateDatasetRequest& request)
      : client_(client), files_(files), options_(options), request_(request) {}

  absl::Status Push(const std::string& path, const std::string& name) {
    ASSIGN_OR_RETURN(const LocalFile local, HashFile(files_, path));
    ASSIGN_OR_RETURN(const UploadResult result,
                     UploadFile(client_, files_, local, options_.transfer));
    sent_ += result.sent_bytes;
    v1::DatasetFile* file = request_.add_files();
    file->set_name(name);
    file->set_sha256(local.sha256);
    file->set_size_bytes(local.size_bytes);
    return absl::OkStatus();
  }

  absl::Status PushFolder(const DataSource& source) {
    ASSIGN_OR_RETURN(const ScratchFolder scratch, ScratchFolder::Make(options_.temp_folder));
    const std::string tar = JoinPath(scratch.path(), "images.tar");
    RETURN_IF_ERROR(WriteImageTar(files_, source.folder, source.names, tar));
    return Push(tar, "images.tar");
  }

  int64_t sent_bytes() const { return sent_; }

 private:
  Client& client_;
  FileSystem& files_;
  const PushOptions& options_;
  v1::CreateDatasetRequest& request_;
  int64_t sent_ = 0;
};

}  // namespace

const char* DataKindName(DataKind kind) {
  switch (kind) {
    case DataKind::kNpz:
      return "NumPy .npz";
    case DataKind::kTar:
      return "image archive";
    case DataKind::kCifar:
      return "CIFAR binary";
    case DataKind::kIdx:
      return "IDX";
    case DataKind::kImageFolder:
      return "image folder";
  }
  return "";
}

absl::StatusOr<DataSource> RecogniseData(FileSystem& files, const std::string& path) {
  if (!files.Exists(path)) {
    return absl::NotFoundError(
        absl::StrCat("there is nothing at ", path, "; give ", kUnderstood, "."));
  }
  return files.IsFolder(path) ? RecogniseFolder(files, path) : RecogniseFile(path);
}

absl::StatusOr<PushResult> PushDataset(Client& client, FileSystem& files, const std::string& path,
                                       v1::CreateDatasetRequest request,
                                       const PushOptions& options) {
  ASSIGN_OR_RETURN(const DataSource source, RecogniseData(files, path));
  request.clear_files();
  Pusher pusher(client, files, options, request);
  if (source.kind == DataKind::kImageFolder) {
    RETURN_IF_ERROR(pusher.PushFolder(source));
  } else {
    for (const std::string& name : source.names) {
      RETURN_IF_ERROR(pusher.Push(JoinPath(source.folder, name), name));
    }
  }
  PushResult result{.kind = source.kind, .sent_bytes = pusher.sent_bytes()};
  ASSIGN_OR_RETURN(result.dataset, client.CreateDataset(request));
  return result;
}

}  // namespace mantissa::client
