// server/jobs/times.h
//
// Times and durations of absl in protobuf's form and in the database's (nanoseconds since 1970).
//
//   ToProto(clock.Now(), *job.mutable_create_time());
#ifndef MANTISSA_SERVER_JOBS_TIMES_H_
#define MANTISSA_SERVER_JOBS_TIMES_H_

#include <cstdint>

#include "absl/time/time.h"
#include "google/protobuf/duration.pb.h"
#include "google/protobuf/timestamp.pb.h"

namespace mantissa::jobs {

inline void ToProto(absl::Time time, google::protobuf::Timestamp& out) {
  const int64_t nanos = absl::ToUnixNanos(time);
  out.set_seconds(nanos / 1000000000);
  out.set_nanos(static_cast<int32_t>(nanos % 1000000000));
}

inline absl::Time FromProto(const google::protobuf::Timestamp& time) {
  return absl::FromUnixSeconds(time.seconds()) + absl::Nanoseconds(time.nanos());
}

inline absl::Duration FromProto(const google::protobuf::Duration& duration) {
  return absl::Seconds(duration.seconds()) + absl::Nanoseconds(duration.nanos());
}

// 0 stands for no time.
inline int64_t ToStored(const google::protobuf::Timestamp& time) {
  return time.seconds() * 1000000000 + time.nanos();
}

}  // namespace mantissa::jobs

#endif  // MANTISSA_SERVER_JOBS_TIMES_H_
