#include "server/rpc/log_source.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/status.h"
#include "server/jobs/state_machine.h"
#include "server/rpc/file_source.h"

namespace mantissa::rpc {
namespace {

// A file tells nobody that it grew.
constexpr absl::Duration kPollPeriod = absl::Milliseconds(200);

}  // namespace

absl::StatusOr<std::string> LogSource::Read() {
  std::string bytes;
  if (!files_.Exists(path_)) return bytes;
  ASSIGN_OR_RETURN(std::unique_ptr<ReadableFile> file, files_.OpenForRead(path_));
  if (offset_ < 0 || offset_ > file->size()) {
    return absl::OutOfRangeError(absl::StrCat("offset is ", offset_, "; allowed 0 to ",
                                              file->size(), ", the size of the log."));
  }
  bytes.resize(std::min(kChunkBytes, file->size() - offset_));
  RETURN_IF_ERROR(file->ReadAt(offset_, absl::MakeSpan(bytes)));
  return bytes;
}

absl::StatusOr<Pulled<v1::LogChunk>> LogSource::Pull() {
  // The state first: what a job wrote before it ended is then in the file.
  ASSIGN_OR_RETURN(const v1::Job job, desk_.Get(id_));
  ASSIGN_OR_RETURN(std::string bytes, Read());
  Pulled<v1::LogChunk> pulled;
  if (bytes.empty()) {
    pulled.ended = !follow_ || jobs::IsEnd(job.state());
    pulled.poll_after = kPollPeriod;
    return pulled;
  }
  offset_ += bytes.size();
  v1::LogChunk& chunk = pulled.messages.emplace_back();
  chunk.set_data(std::move(bytes));
  chunk.set_next_offset(offset_);
  return pulled;
}

void LogSource::Open(std::function<void()> wake) {
  subscription_ = notifier_.Subscribe(id_, std::move(wake));
}

void LogSource::Close() { notifier_.Unsubscribe(subscription_); }

}  // namespace mantissa::rpc
