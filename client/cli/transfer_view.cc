#include "client/cli/transfer_view.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "client/cli/live_view.h"
#include "client/cli/text.h"

namespace mantissa::cli {

TransferView::TransferView(Io& io, std::string verb) : io_(io), verb_(std::move(verb)) {}

TransferView::~TransferView() { Done(); }

client::TransferOptions TransferView::Options() {
  return {.on_progress = [this](int64_t done, int64_t total) { Show(done, total); },
          .on_break =
              [this](const absl::Status& status) {
                Done();
                io_.Err(absl::StrCat("connection lost, trying again: ", Printable(status.message()),
                                     "\n"));
              },
          .stop = io_.stop()};
}

void TransferView::Show(int64_t done, int64_t total) {
  const absl::Duration now = io_.clock().Monotonic();
  if (!io_.OutIsTerminal() || now - last_ < absl::Milliseconds(100)) return;
  last_ = now;
  drawn_ = true;
  const double share = total > 0 ? static_cast<double>(done) / static_cast<double>(total) : 1;
  const std::string line =
      absl::StrCat(ProgressBar(share, 32), " ", Bytes(done), " of ", Bytes(total), " ", verb_);
  io_.Err(absl::StrCat("\r\x1b[K", Fit(line, io_.Size().columns - 1)));
}

void TransferView::Done() {
  if (drawn_) io_.Err("\r\x1b[K");
  drawn_ = false;
}

}  // namespace mantissa::cli
