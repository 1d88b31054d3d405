#include "server/jobs/state_machine.h"

#include <set>
#include <utility>

#include "gtest/gtest.h"

namespace mantissa::jobs {
namespace {

TEST(StateMachine, AllowsExactlyTheDocumentedChanges) {
  const std::set<std::pair<v1::JobState, v1::JobState>> allowed = {
      {v1::JOB_STATE_PENDING, v1::JOB_STATE_PLANNING},
      {v1::JOB_STATE_PENDING, v1::JOB_STATE_FAILED},
      {v1::JOB_STATE_PENDING, v1::JOB_STATE_CANCELLED},
      {v1::JOB_STATE_PLANNING, v1::JOB_STATE_RUNNING},
      {v1::JOB_STATE_PLANNING, v1::JOB_STATE_PENDING},
      {v1::JOB_STATE_PLANNING, v1::JOB_STATE_FAILED},
      {v1::JOB_STATE_PLANNING, v1::JOB_STATE_CANCELLED},
      {v1::JOB_STATE_RUNNING, v1::JOB_STATE_SUCCEEDED},
      {v1::JOB_STATE_RUNNING, v1::JOB_STATE_PENDING},
      {v1::JOB_STATE_RUNNING, v1::JOB_STATE_FAILED},
      {v1::JOB_STATE_RUNNING, v1::JOB_STATE_CANCELLED},
  };
  for (int from = v1::JOB_STATE_UNSPECIFIED; from <= v1::JOB_STATE_CANCELLED; ++from) {
    for (int to = v1::JOB_STATE_UNSPECIFIED; to <= v1::JOB_STATE_CANCELLED; ++to) {
      const std::pair change(static_cast<v1::JobState>(from), static_cast<v1::JobState>(to));
      EXPECT_EQ(CanChange(change.first, change.second), allowed.count(change) > 0)
          << StateName(change.first) << " to " << StateName(change.second);
    }
  }
}

TEST(StateMachine, NothingFollowsTheThreeEnds) {
  EXPECT_TRUE(IsEnd(v1::JOB_STATE_SUCCEEDED));
  EXPECT_TRUE(IsEnd(v1::JOB_STATE_FAILED));
  EXPECT_TRUE(IsEnd(v1::JOB_STATE_CANCELLED));
  EXPECT_FALSE(IsEnd(v1::JOB_STATE_PENDING));
  EXPECT_FALSE(IsEnd(v1::JOB_STATE_RUNNING));
}

}  // namespace
}  // namespace mantissa::jobs
