// server/data/tar.h
//
// A strict reader of tar archives: POSIX ustar and pax, and GNU's long names.
//
//   ASSIGN_OR_RETURN(std::vector<NamedBytes> members, ReadTar(file));
//
// Regular files only; folders are passed over. Refused: links, devices, fifos and sparse files,
// names that are absolute, climb with "..", or occur twice, a wrong checksum, an archive without
// its end. Nothing is ever written to a disk.

#ifndef MANTISSA_SERVER_DATA_TAR_H_
#define MANTISSA_SERVER_DATA_TAR_H_

#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "server/data/source.h"

namespace mantissa::data {

// Whether `bytes` starts as a tar archive does.
bool IsTar(absl::string_view bytes);

// The members in their order, without copies: they point into `file.bytes`. InvalidArgument says
// what is wrong in the archive.
absl::StatusOr<std::vector<NamedBytes>> ReadTar(const NamedBytes& file);

}  // namespace mantissa::data

#endif  // MANTISSA_SERVER_DATA_TAR_H_
