#include "client/cc/dataset.h"

#include <algorithm>
#include <array>
#include <utility>

#include "absl/algorithm/container.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "base/scratch_folder.h"
#include "base/status.h"
#include "client/cc/image_tar.h"

namespace mantissa::client {
namespace {

constexpr char kUnderstood[] =
    "a .npz file, a .safetensors file, a .tar of an image folder or of WebDataset, a token file "
    "(.bin or .npy, with a sequence length), a folder of CIFAR-10/100 binaries (data_batch_1.bin "
    "or train.bin), of IDX files (train-images-idx3-ubyte), of .tar shards, of .npy arrays (x.npy "
    "and y.npy), of token files, or of JPEG/PNG images by class";

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

bool IsTar(absl::string_view name) { return absl::EndsWithIgnoreCase(name, ".tar"); }
bool IsNpy(absl::string_view name) { return absl::EndsWithIgnoreCase(name, ".npy"); }
bool IsTokens(absl::string_view name) {
  return absl::EndsWithIgnoreCase(name, ".bin") || IsNpy(name);
}

bool AsksForTokens(const v1::ReadOptions& read) {
  return read.sequence_length() > 0 || read.format() == "tokens";
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
                   ". Other data can be written to a .npz with the arrays x and y."));
}

absl::StatusOr<DataSource> RecogniseFile(const std::string& path) {
  constexpr std::pair<const char*, DataKind> kEndings[] = {
      {".npz", DataKind::kNpz},    {".safetensors", DataKind::kSafetensors},
      {".tar", DataKind::kTar},    {".bin", DataKind::kTokens},
      {".npy", DataKind::kTokens},
  };
  for (const auto& [ending, kind] : kEndings) {
    if (absl::EndsWithIgnoreCase(path, ending))
      return DataSource{kind, ParentPath(path), {BaseName(path)}};
  }
  return NotUnderstood(path);
}

absl::StatusOr<DataSource> RecogniseFolder(FileSystem& files, const std::string& path,
                                           const v1::ReadOptions& read) {
  ASSIGN_OR_RETURN(const std::vector<std::string> names, files.List(path));
  std::vector<std::string> tokens = Select(names, &IsTokens);
  if (AsksForTokens(read) && !tokens.empty()) {
    return DataSource{DataKind::kTokens, path, std::move(tokens)};
  }
  std::vector<std::string> cifar = Select(names, &IsCifarName);
  if (absl::c_any_of(cifar, [](const auto& name) { return absl::EndsWith(name, ".bin"); })) {
    return DataSource{DataKind::kCifar, path, std::move(cifar)};
  }
  constexpr std::pair<bool (*)(absl::string_view), DataKind> kKinds[] = {
      {&IsIdxName, DataKind::kIdx},
      {&IsTar, DataKind::kTar},
      {&IsNpy, DataKind::kNpy},
      {&IsTokens, DataKind::kTokens},
  };
  for (const auto& [is_wanted, kind] : kKinds) {
    std::vector<std::string> wanted = Select(names, is_wanted);
    if (!wanted.empty()) return DataSource{kind, path, std::move(wanted)};
  }
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

  // One .tar at a time is on the disk. The same images make the same ones again, so that those
  // that the server has are not sent twice.
  absl::Status PushFolder(const DataSource& source) {
    ASSIGN_OR_RETURN(const std::vector<std::vector<std::string>> shards, Shards(source));
    ASSIGN_OR_RETURN(const ScratchFolder scratch, ScratchFolder::Make(options_.temp_folder));
    const std::string tar = JoinPath(scratch.path(), "images.tar");
    for (size_t i = 0; i < shards.size(); ++i) {
      RETURN_IF_ERROR(WriteImageTar(files_, source.folder, shards[i], tar));
      const std::string name =
          shards.size() == 1 ? "images.tar" : absl::StrFormat("images-%05d.tar", i);
      RETURN_IF_ERROR(Push(tar, name));
    }
    return absl::OkStatus();
  }

  absl::StatusOr<std::vector<std::vector<std::string>>> Shards(const DataSource& source) {
    std::vector<std::vector<std::string>> shards;
    int64_t bytes = 0;
    for (const std::string& name : source.names) {
      if (shards.empty() || bytes >= options_.shard_bytes) {
        shards.emplace_back();
        bytes = 0;
      }
      ASSIGN_OR_RETURN(const int64_t size, files_.Size(JoinPath(source.folder, name)));
      bytes += size;
      shards.back().push_back(name);
    }
    return shards;
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
    case DataKind::kNpy:
      return "NumPy .npy";
    case DataKind::kSafetensors:
      return "safetensors";
    case DataKind::kTokens:
      return "tokens";
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

absl::StatusOr<DataSource> RecogniseData(FileSystem& files, const std::string& path,
                                         const v1::ReadOptions& read) {
  if (!files.Exists(path)) {
    return absl::NotFoundError(
        absl::StrCat("there is nothing at ", path, "; give ", kUnderstood, "."));
  }
  return files.IsFolder(path) ? RecogniseFolder(files, path, read) : RecogniseFile(path);
}

absl::StatusOr<PushResult> PushDataset(Client& client, FileSystem& files, const std::string& path,
                                       v1::CreateDatasetRequest request,
                                       const PushOptions& options) {
  ASSIGN_OR_RETURN(const DataSource source, RecogniseData(files, path, request.read()));
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
