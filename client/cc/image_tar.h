// client/cc/image_tar.h
//
// An image folder as one .tar, the same bytes for the same images: sorted by name, no times, no
// owners. So a folder that was copied or checked out again is known to the server.
//
//   ASSIGN_OR_RETURN(std::vector<std::string> names, ListImages(files, "photos"));
//   RETURN_IF_ERROR(WriteImageTar(files, "photos", names, "/tmp/photos.tar"));

#ifndef MANTISSA_CLIENT_CC_IMAGE_TAR_H_
#define MANTISSA_CLIENT_CC_IMAGE_TAR_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "base/file.h"

namespace mantissa::client {

// Names of the JPEG and PNG files below `folder`, "cat/1.png", sorted by bytes; other files and
// those whose name starts with a dot are left out. Empty if there is no image in a folder of its
// own, which would be its class. InvalidArgument if folders are nested deeper than 16.
absl::StatusOr<std::vector<std::string>> ListImages(FileSystem& files, const std::string& folder);

// Writes `names` of `folder` to `destination`, one image in memory at a time.
absl::Status WriteImageTar(FileSystem& files, const std::string& folder,
                           const std::vector<std::string>& names, const std::string& destination);

}  // namespace mantissa::client

#endif  // MANTISSA_CLIENT_CC_IMAGE_TAR_H_
