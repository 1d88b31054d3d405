#!/bin/bash
# oracle.json must be what oracle.py prints.
set -eu
if ! python3 tests/planner/oracle.py | diff -q - tests/planner/testdata/oracle.json; then
  echo "oracle.json is stale: python3 tests/planner/oracle.py > tests/planner/testdata/oracle.json"
  exit 1
fi
