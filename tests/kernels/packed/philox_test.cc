#include "kernels/packed/philox.h"

#include <cstdint>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace mantissa::kernels {
namespace {

using ::testing::ElementsAre;

TEST(Philox, GivesTheKnownAnswerOfItsAuthorsForZero) {
  EXPECT_THAT(Philox(0, 0).words, ElementsAre(0x6627E8D5u, 0xE169C58Du, 0xBC57AC4Cu, 0x9B00DBD8u));
}

TEST(Philox, UsesBothHalvesOfSeedAndIndex) {
  // From an implementation in Python that also gives the authors' other known answers.
  EXPECT_THAT(Philox(0x0123456789ABCDEF, 0xFEDCBA9876543210).words,
              ElementsAre(0x2C03A599u, 0xD8A290FCu, 0x4339955Bu, 0x8784C033u));
}

}  // namespace
}  // namespace mantissa::kernels
