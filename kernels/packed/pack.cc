#include "kernels/packed/pack.h"

#include <cstdint>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "kernels/formats/format.h"
#include "kernels/packed/dispatch.h"
#include "kernels/packed/pack_core.h"
#include "kernels/packed/params.h"
#include "kernels/packed/piece.h"
#include "kernels/packed/round_core.h"

namespace mantissa::kernels {
namespace {

absl::Status Check(const Format& format, const Piece& piece) {
  if (absl::Status status = CheckFormat(format); !status.ok()) return status;
  if (format.bits() > 16 && format != kFp32) {
    return absl::InvalidArgumentError(
        absl::StrCat("format ", format.name(), " has ", format.bits(),
                     " bits; allowed up to 16, or fp32. Use fewer mantissa bits."));
  }
  for (const int64_t extent : {piece.first, piece.rows, piece.length, piece.stride}) {
    if (extent < 0) {
      return absl::InvalidArgumentError(
          absl::StrCat("a piece has the negative extent ", extent,
                       "; first, rows, length and stride are counts of elements. Use 0 or more."));
    }
  }
  return absl::OkStatus();
}

// An element type's values.
Format FormatOf(Element element) {
  switch (element) {
    case Element::kBFloat16:
      return kBf16;
    case Element::kFloat16:
      return kFp16;
    case Element::kFloat32:
      break;
  }
  return kFp32;
}

// Whether a float32 that holds a value of the format, or is computed with in float32, becomes an
// element by losing its lower bits alone.
bool IsExact(const Format& format, const Format& element, Write write) {
  if (element == kFp32) return true;
  return element == kBf16 && format.mantissa_bits <= kBf16.mantissa_bits &&
         write == Write::kReplace;
}

}  // namespace

absl::Status Pack(const Device& device, const RoundSpec& spec, const Piece& piece, Element element,
                  const void* wide, void* codes, RoundCounts* counts) {
  if (absl::Status status = Check(spec.format, piece); !status.ok()) return status;
  const PackParams params = {.round = RoundParamsOf(spec),
                             .code = CodeParamsOf(spec.format),
                             .element = CodeParamsOf(FormatOf(element))};
  return RunPack(device, RoundingOf(spec), params, piece, wide, codes, counts);
}

absl::Status Unpack(const Device& device, const Format& format, const Piece& piece, Element element,
                    const void* codes, void* wide, Write write) {
  if (absl::Status status = Check(format, piece); !status.ok()) return status;
  const RoundSpec to_element = {.format = FormatOf(element), .overflow = Overflow::kInfinity};
  const UnpackParams params = {.code = CodeParamsOf(format),
                               .element_round = RoundParamsOf(to_element),
                               .element = CodeParamsOf(to_element.format),
                               .add = write == Write::kAdd,
                               .exact = IsExact(format, to_element.format, write)};
  return RunUnpack(device, params, piece, codes, wide);
}

}  // namespace mantissa::kernels
