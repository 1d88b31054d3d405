// client/cli/precision.h
//
// What the command line forgives and the API does not: a ratio beside a policy that has none, so
// that one command can be repeated with another --policy.

#ifndef MANTISSA_CLIENT_CLI_PRECISION_H_
#define MANTISSA_CLIENT_CLI_PRECISION_H_

#include "client/cli/io.h"
#include "mantissa/v1/common.pb.h"

namespace mantissa::cli {

// Takes low_ratio out where the policy is none, operator, autocast or explicit, and says so on
// standard error. A ratio outside 0 to 1 stays, to be refused.
void DropUnusedRatio(Io& io, v1::PrecisionSpec* precision);

}  // namespace mantissa::cli

#endif  // MANTISSA_CLIENT_CLI_PRECISION_H_
