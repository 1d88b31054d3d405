// server/main/version.h
//
// Version of mantissad, as GetServerInfo, --version and mantissa_build_info tell it.
#pragma once

namespace mantissa::server {

inline constexpr char kVersion[] = "0.1.0";

}  // namespace mantissa::server
