#!/usr/bin/env bash
# Installs what Mantissa needs to be built and run on Debian 12, and says what it does. Safe to run
# again: what is there already is left alone, and then it prints nothing.
#
#   deploy/setup.sh           to build and run
#   deploy/setup.sh --tests   and to run the tests: formatters, linters, Prometheus, grpcurl
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
test_packages=(clang-format clang-tidy prometheus git openssl)

cache=${MANTISSA_CACHE:-${HOME:?}/.cache/mantissa}
# third_party/grpcurl/README.md
grpcurl_version=v1.9.4
grpcurl=$cache/grpcurl-$grpcurl_version/grpcurl

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
  local text="# Written by deploy/setup.sh.
build --disk_cache=$cache/bazel
test --test_env=MANTISSA_GRPCURL=$grpcurl"
  [ "$(cat user.bazelrc 2>/dev/null)" = "$text" ] && return 0
  mkdir -p "$cache/bazel"
  printf '%s\n' "$text" > user.bazelrc
  say "wrote user.bazelrc: results of builds are kept in $cache/bazel"
}

# Prints the path of a Go that is grpcurl's 1.25 or can fetch it: 1.21 or newer. Debian 12 itself has
# 1.19; its backports have newer ones.
find_go() {
  local go
  for go in go /usr/local/go/bin/go /usr/lib/go-1.*/bin/go; do
    go=$(command -v "$go") || continue
    case "$(GOTOOLCHAIN=local "$go" env GOVERSION)" in
      go1.1[0-9]* | go1.20* | go1.[0-9] | go1.[0-9].*) ;;
      go1.*)
        echo "$go"
        return 0
        ;;
    esac
  done
  return 1
}

install_grpcurl() {
  [ ! -x "$grpcurl" ] || return 0
  local go package log
  if ! go=$(find_go); then
    package=$(apt-cache search --names-only '^golang-1\.2[1-9]-go$' 2>/dev/null | cut -d' ' -f1 |
      sort -V | tail -n 1)
    if [ -z "$package" ]; then
      say "no Go of 1.21 or newer here, nor in the Debian packages that apt knows:" \
        "the tests of docs/api.md will be skipped. Install Go and run this again to have them."
      return 0
    fi
    install_packages "$package"
    go=$(find_go)
  fi
  say "building grpcurl $grpcurl_version with $("$go" env GOVERSION) (two minutes)"
  log=$(mktemp)
  if ! GOBIN=$(dirname "$grpcurl") GOTOOLCHAIN=auto GOFLAGS= \
    "$go" install "github.com/fullstorydev/grpcurl/cmd/grpcurl@$grpcurl_version" >"$log" 2>&1; then
    tail -n 5 "$log" >&2
    say "grpcurl could not be built: the tests of docs/api.md will be skipped"
  fi
  rm -f "$log"
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
  if [ "${1:-}" = --tests ]; then install_grpcurl; fi
}

main "$@"
