// Adds 1 to `count` floats on the first GPU. Returns a cudaError_t.
#ifndef MANTISSA_TESTS_THIRD_PARTY_ADD_ONE_H_
#define MANTISSA_TESTS_THIRD_PARTY_ADD_ONE_H_

namespace mantissa::tests {

int AddOne(float* values, int count);

}  // namespace mantissa::tests

#endif  // MANTISSA_TESTS_THIRD_PARTY_ADD_ONE_H_
