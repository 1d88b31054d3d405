#include "kernels/packed/round.h"

#include <cstdint>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/types/span.h"
#include "kernels/formats/format.h"
#include "kernels/packed/dispatch.h"
#include "kernels/packed/pack_core.h"
#include "kernels/packed/params.h"
#include "kernels/packed/piece.h"
#include "kernels/packed/round_core.h"

namespace mantissa::kernels {

absl::Status Round(const Device& device, const RoundSpec& spec, absl::Span<const float> in,
                   absl::Span<float> out, RoundCounts* counts) {
  if (in.size() != out.size()) {
    return absl::InvalidArgumentError(absl::StrCat("out has ", out.size(), " elements and in has ",
                                                   in.size(), "; they must be equal."));
  }
  if (absl::Status status = CheckFormat(spec.format); !status.ok()) return status;
  // A rounded float32 is a code too: that of fp32.
  const PackParams params = {
      .round = RoundParamsOf(spec), .code = CodeParamsOf(kFp32), .element = CodeParamsOf(kFp32)};
  return RunPack(device, RoundingOf(spec), params, Piece::Whole(static_cast<int64_t>(in.size())),
                 in.data(), out.data(), counts);
}

}  // namespace mantissa::kernels
