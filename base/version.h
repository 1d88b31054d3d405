// The version of all programs of the tree.
#ifndef MANTISSA_BASE_VERSION_H_
#define MANTISSA_BASE_VERSION_H_

namespace mantissa {

inline constexpr char kVersion[] = "0.1.0";

}  // namespace mantissa

#endif  // MANTISSA_BASE_VERSION_H_
