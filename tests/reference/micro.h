// Compares operators one by one, code by code: each is fed the recorded tensors, so that nothing
// that happened before it matters.
//
//   ASSIGN_OR_RETURN(Verdict verdict, JudgeMicro(recording, run));
//
// Forward from the recorded v and theta, backward from the recorded dv of its output. A rounded
// value may differ from the recorded one only where the value before rounding lies so near a tie or
// a threshold that float32 sums taken in another order fall on the other side of it. How near that
// is, is measured: each operator is also run in double precision. Where its float32 result carries
// no error, as with all sums of low values, every code must be equal. The elements that differ are
// counted and printed, and they must be few.
#ifndef MANTISSA_TESTS_REFERENCE_MICRO_H_
#define MANTISSA_TESTS_REFERENCE_MICRO_H_

#include "absl/status/statusor.h"
#include "tests/reference/judge.h"
#include "tests/reference/recorded_run.h"

namespace mantissa::reference {

absl::StatusOr<Verdict> JudgeMicro(const Recording& recording, const RecordedRun& run);

}  // namespace mantissa::reference

#endif  // MANTISSA_TESTS_REFERENCE_MICRO_H_
