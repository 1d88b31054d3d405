#!/usr/bin/env bash
# Installs what is missing, builds everything and runs all tests. The last line is
# "N passed, N failed", counted in test cases; the exit status is 0 only if none failed.
#
#   tests/run.sh                   everything
#   tests/run.sh //tests/base/...  only these targets
set -uo pipefail
cd "$(dirname "$0")/.."

say() { printf '[tests] %s\n' "$*"; }

deploy/setup.sh --tests || {
  echo "0 passed, 1 failed"
  exit 1
}

events=$(mktemp)
trap 'rm -f "$events"' EXIT

if [ $# -eq 0 ]; then set -- //...; fi
say "building and testing $*"
bazel test --keep_going --show_progress --show_progress_rate_limit=30 \
  --build_event_json_file="$events" -- "$@"
status=$?

# tally.py prints the last line. It fails if a case did; bazel fails too if something did not build.
python3 tests/tally.py --bazel-status "$status" "$events"
