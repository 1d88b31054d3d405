#!/usr/bin/env bash
# Installs what Mantissa needs to be built and run on Debian 12, and says what it does. Safe to run
# again: what is there already is left alone, and then it prints nothing.
#
#   deploy/setup.sh           to build and run
#   deploy/setup.sh --tests   and to run the tests: formatters, linters, Prometheus
#
# LibTorch and, where there is no CUDA toolkit, nvcc come as Python wheels when the first target
# that needs them is built (third_party/libtorch, third_party/cuda). They are kept, with the results
# of earlier builds, in $MANTISSA_CACHE (default: ~/.cache/mantissa).
set -euo pipefail
cd "$(dirname "$0")/.."

build_packages=(
  bazel-bootstrap g++ binutils python3 python3-pip ca-certificates
  libgrpc++-dev protobuf-compiler protobuf-compiler-grpc libprotobuf-dev libabsl-dev
  prometheus-cpp-dev libgtest-dev libgmock-dev libbenchmark-dev libhwy-dev
  libsqlite3-dev nlohmann-json3-dev libcli11-dev libssl-dev zlib1g-dev libzstd-dev
  libarchive-dev libturbojpeg0-dev libpng-dev
)
test_packages=(clang-format clang-tidy prometheus git)

say() { printf '[setup] %s\n' "$*"; }

die() {
  printf '[setup] error: %s\n' "$*" >&2
  exit 1
}

is_installed() {
  [ "$(dpkg-query --show --showformat='${db:Status-Status}' "$1" 2>/dev/null)" = installed ]
}

as_root() {
  if [ "$(id -u)" = 0 ]; then
    "$@"
  elif command -v sudo >/dev/null; then
    sudo "$@"
  else
    die "root is needed to install packages, and there is no sudo. Run as root: $*"
  fi
}

install_packages() {
  local missing=() package
  for package in "$@"; do
    is_installed "$package" || missing+=("$package")
  done
  [ "${#missing[@]}" -gt 0 ] || return 0
  command -v apt-get >/dev/null ||
    die "this is no Debian. Install by hand what matches these Debian 12 packages: ${missing[*]}"
  say "installing Debian packages: ${missing[*]}"
  local log
  log=$(mktemp)
  if ! { as_root apt-get update &&
    as_root env DEBIAN_FRONTEND=noninteractive \
      apt-get install -y --no-install-recommends "${missing[@]}"; } >"$log" 2>&1; then
    tail -n 20 "$log" >&2
    die "the packages could not be installed; all that apt-get said is in $log"
  fi
  rm -f "$log"
}

# The cache is outside the tree and shared by all clones on this machine.
write_user_bazelrc() {
  local cache=${MANTISSA_CACHE:-${HOME:?}/.cache/mantissa}
  local text="# Written by deploy/setup.sh.
build --disk_cache=$cache/bazel"
  [ "$(cat user.bazelrc 2>/dev/null)" = "$text" ] && return 0
  mkdir -p "$cache/bazel"
  printf '%s\n' "$text" > user.bazelrc
  say "wrote user.bazelrc: results of builds are kept in $cache/bazel"
}

main() {
  local packages=("${build_packages[@]}")
  case "${1:-}" in
    "") ;;
    --tests)
      packages+=("${test_packages[@]}")
      # Node.js from elsewhere brings an npm of its own, which Debian's package conflicts with.
      command -v npm >/dev/null || packages+=(npm)
      ;;
    *) die "unknown argument $1. Usage: deploy/setup.sh [--tests]" ;;
  esac
  install_packages "${packages[@]}"
  write_user_bazelrc
}

main "$@"
