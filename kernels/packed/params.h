// The constants that the kernels' bodies work with, made from formats and requests.
#ifndef MANTISSA_KERNELS_PACKED_PARAMS_H_
#define MANTISSA_KERNELS_PACKED_PARAMS_H_

#include "kernels/formats/format.h"
#include "kernels/packed/pack_core.h"
#include "kernels/packed/round.h"
#include "kernels/packed/round_core.h"

namespace mantissa::kernels {

// REQUIRES, of both: CheckFormat(format) is OK; of CodeParamsOf() also 16 bits at most, or kFp32.
RoundParams RoundParamsOf(const RoundSpec& spec);
CodeParams CodeParamsOf(const Format& format);

// The rounding to work with: that of `spec`, or the cheapest where nothing is cut off.
Rounding RoundingOf(const RoundSpec& spec);

}  // namespace mantissa::kernels

#endif  // MANTISSA_KERNELS_PACKED_PARAMS_H_
