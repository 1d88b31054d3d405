// client/cli/transfer_view.h
//
// Progress of an upload or a download: on a terminal a line that is redrawn, else nothing.
//
//   TransferView view(io, "sent");
//   client::UploadFile(client, files, file, view.Options());
//   view.Done();

#ifndef MANTISSA_CLIENT_CLI_TRANSFER_VIEW_H_
#define MANTISSA_CLIENT_CLI_TRANSFER_VIEW_H_

#include <cstdint>
#include <string>

#include "absl/time/time.h"
#include "client/cc/transfer.h"
#include "client/cli/io.h"

namespace mantissa::cli {

// Not thread-safe. Its options must not be used after it is gone.
class TransferView {
 public:
  // `verb`: what happens to the bytes, "sent".
  TransferView(Io& io, std::string verb);
  ~TransferView();

  client::TransferOptions Options();
  // Clears the line.
  void Done();

 private:
  void Show(int64_t done, int64_t total);

  Io& io_;
  const std::string verb_;
  absl::Duration last_ = -absl::InfiniteDuration();
  bool drawn_ = false;
};

}  // namespace mantissa::cli

#endif  // MANTISSA_CLIENT_CLI_TRANSFER_VIEW_H_
