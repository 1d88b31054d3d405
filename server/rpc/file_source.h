// server/rpc/file_source.h
//
// Streams a file in chunks: artifacts, blobs.
//
//   MakeLazySource<v1::ArtifactChunk>([=] {
//     return FileSource<v1::ArtifactChunk>::Open(files, path, offset, /*first=*/{});
//   });
#ifndef MANTISSA_SERVER_RPC_FILE_SOURCE_H_
#define MANTISSA_SERVER_RPC_FILE_SOURCE_H_

#include <algorithm>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "base/file.h"
#include "base/status.h"
#include "server/rpc/pull_stream.h"

namespace mantissa::rpc {

// Bytes of a chunk; the API allows 2 MiB.
inline constexpr int64_t kChunkBytes = int64_t{1} << 20;

// Message has a bytes field `data`. The first message is `first` with the first bytes in it; an
// empty file gives one message without bytes.
template <typename Message>
class FileSource : public PullSource<Message> {
 public:
  // OUT_OF_RANGE if the offset is past the end.
  static absl::StatusOr<std::unique_ptr<PullSource<Message>>> Open(FileSystem& files,
                                                                   const std::string& path,
                                                                   int64_t offset, Message first) {
    ASSIGN_OR_RETURN(std::unique_ptr<ReadableFile> file, files.OpenForRead(path));
    if (offset < 0 || offset > file->size()) {
      return absl::OutOfRangeError(absl::StrCat("offset is ", offset, "; allowed 0 to ",
                                                file->size(), ", the size of the file."));
    }
    return std::unique_ptr<PullSource<Message>>(
        new FileSource(std::move(file), offset, std::move(first)));
  }

  absl::StatusOr<Pulled<Message>> Pull() override {
    Pulled<Message> pulled;
    Message message = std::exchange(next_, Message());
    const int64_t count = std::min(kChunkBytes, file_->size() - offset_);
    std::string& data = *message.mutable_data();
    data.resize(count);
    RETURN_IF_ERROR(file_->ReadAt(offset_, absl::MakeSpan(data)));
    offset_ += count;
    pulled.messages.push_back(std::move(message));
    pulled.ended = offset_ == file_->size();
    return pulled;
  }

 private:
  FileSource(std::unique_ptr<ReadableFile> file, int64_t offset, Message first)
      : file_(std::move(file)), offset_(offset), next_(std::move(first)) {}

  const std::unique_ptr<ReadableFile> file_;
  int64_t offset_;
  Message next_;
};

// Opens its source on the executor, at the first pull: opening may read the disk.
template <typename Message, typename Opener>
class LazySource : public PullSource<Message> {
 public:
  explicit LazySource(Opener opener) : opener_(std::move(opener)) {}
  absl::StatusOr<Pulled<Message>> Pull() override {
    if (source_ == nullptr) {
      ASSIGN_OR_RETURN(source_, opener_());
    }
    return source_->Pull();
  }

 private:
  Opener opener_;
  std::unique_ptr<PullSource<Message>> source_;
};

// `opener` returns StatusOr<unique_ptr<PullSource<Message>>>, of a source that needs no waking.
template <typename Message, typename Opener>
std::unique_ptr<PullSource<Message>> MakeLazySource(Opener opener) {
  return std::make_unique<LazySource<Message, Opener>>(std::move(opener));
}

}  // namespace mantissa::rpc

#endif  // MANTISSA_SERVER_RPC_FILE_SOURCE_H_
