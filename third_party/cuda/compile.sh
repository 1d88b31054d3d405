#!/bin/sh
# Compiles one .cu file: compile.sh OUTPUT NVCC ARGUMENTS...
# The object is the same each time: nvcc leaves names of its scratch files (tmpxft_<pid>_...) in the
# symbol table, and they are taken out.
set -eu
output=$1
shift
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
TMPDIR=$scratch "$@" -o "$output"
objcopy --wildcard --strip-symbol='*tmpxft_*' "$output"
