// client/cc/model.h
//
// Pushes a model: uploads its file if the server lacks it, and creates it.
//
//   ASSIGN_OR_RETURN(LocalFile file, HashFile(files, "resnet.pt2"));
//   v1::CreateModelRequest request;
//   request.set_name(ModelNameOf(file));  // "resnet-3f9a1c7e"
//   ASSIGN_OR_RETURN(PushedModel pushed, PushModel(client, files, file, request, {}));
//   pushed.model.inputs_size();

#ifndef MANTISSA_CLIENT_CC_MODEL_H_
#define MANTISSA_CLIENT_CC_MODEL_H_

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "base/file.h"
#include "client/cc/client.h"
#include "client/cc/transfer.h"
#include "mantissa/v1/model.pb.h"

namespace mantissa::client {

// A name made of the file's and its hash: the same bytes in a file of the same name have the same.
std::string ModelNameOf(const LocalFile& file);

struct PushedModel {
  v1::Model model;
  // Bytes that travelled; 0 if the server had them all.
  int64_t sent_bytes = 0;
};

// `request` has the name and the options; what is known of the file is filled in here.
absl::StatusOr<PushedModel> PushModel(Client& client, FileSystem& files, const LocalFile& file,
                                      v1::CreateModelRequest request,
                                      const TransferOptions& options);

}  // namespace mantissa::client

#endif  // MANTISSA_CLIENT_CC_MODEL_H_
