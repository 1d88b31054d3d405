// The version of all programs of the tree.
#pragma once

namespace mantissa {

inline constexpr char kVersion[] = "0.1.0";

}  // namespace mantissa
