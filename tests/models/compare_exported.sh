#!/usr/bin/env bash
# Exports the models of zoo.py by real PyTorch, unless that was done before, and compares them:
#
#   bazel run //tests/models:compare_exported -- [DIR OF FURTHER ARCHIVES...]
#
# The first time takes half an hour. Arguments go to compare.
set -euo pipefail
compare=$PWD/tests/models/compare
tree=${BUILD_WORKSPACE_DIRECTORY:?start it with bazel run}
folder=$(python3.11 "$tree/tests/models/export.py")
exec "$compare" "$@" "$folder"
