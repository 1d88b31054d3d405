#!/usr/bin/env bash
# Installs what is needed, builds Mantissa, starts the server, pushes 1,797 real handwritten digits
# and trains a ResNet-18 on them three times: in fp32, with half of the elements in 8 bits, and with
# all of them. Ends with a table of the three. The server stays up for your own jobs.
#
#   deploy/quickstart.sh          leaves the server running and says how to stop it
#   deploy/quickstart.sh --stop   stops the server at the end
#
# Data and logs are kept in $MANTISSA_QUICKSTART_DIR (default: ~/.local/share/mantissa/quickstart).
set -euo pipefail
cd "$(dirname "$0")/.."

say() { printf '[quickstart] %s\n' "$*"; }

die() {
  printf '[quickstart] error: %s\n' "$*" >&2
  exit 1
}

keep=yes
case "${1:-}" in
  "") ;;
  --stop) keep=no ;;
  *) die "unknown argument $1. Usage: deploy/quickstart.sh [--stop]" ;;
esac

dir=${MANTISSA_QUICKSTART_DIR:-${XDG_DATA_HOME:-$HOME/.local/share}/mantissa/quickstart}
epochs=${MANTISSA_QUICKSTART_EPOCHS:-6}
# Where built programs are; set it to skip installing and building.
built=${MANTISSA_BUILT:-}

build() {
  deploy/setup.sh
  say "building the server, the worker and the command line (minutes the first time)"
  bazel build --show_progress --show_progress_rate_limit=20 \
    //server/main:mantissad //server/engine:mantissa-worker //client/cli:mantissa
}

if [ -z "$built" ]; then
  build
  built=out/bin
fi
mantissa=$built/client/cli/mantissa
mantissad=$built/server/main/mantissad
worker=$(realpath "$built/server/engine/mantissa-worker")

# Prints what follows "$1 on " in the server's output, once it is there.
address_of() {
  local tries line
  for ((tries = 0; tries < 300; tries++)); do
    line=$(sed -n "s/^$1 on //p" "$dir/mantissad.out" | head -n 1)
    if [ -n "$line" ]; then
      printf '%s\n' "$line"
      return 0
    fi
    kill -0 "$server_pid" 2>/dev/null || break
    sleep 0.1
  done
  cat "$dir/mantissad.out" "$dir/mantissad.log" >&2
  die "the server did not start; its log is $dir/mantissad.log"
}

# Ends the server of an earlier run, known by the folder that it was started for; its jobs go on
# in the new one.
stop_earlier_server() {
  local pid
  pid=$(cat "$dir/mantissad.pid" 2>/dev/null) || return 0
  tr '\0' '\n' < "/proc/$pid/cmdline" 2>/dev/null | grep -qxF "$dir/data" || return 0
  say "stopping the server of an earlier run (process $pid)"
  kill "$pid"
  while kill -0 "$pid" 2>/dev/null; do sleep 0.1; done
}

start_server() {
  mkdir -p "$dir"
  stop_earlier_server
  : > "$dir/mantissad.out"
  setsid "$mantissad" --data-dir "$dir/data" --listen 127.0.0.1:0 --metrics-listen 127.0.0.1:0 \
    --worker "$worker" >> "$dir/mantissad.out" 2>> "$dir/mantissad.log" < /dev/null &
  server_pid=$!
  echo "$server_pid" > "$dir/mantissad.pid"
  if [ "$keep" = no ]; then trap 'kill "$server_pid" 2>/dev/null; wait "$server_pid" || true' EXIT; fi
  MANTISSA_SERVER=$(address_of listening)
  metrics=$(address_of metrics)
  export MANTISSA_SERVER
  say "server on $MANTISSA_SERVER, metrics on http://$metrics/metrics"
}

push_digits() {
  if [ ! -f "$dir/digits.npz" ]; then
    say "writing the handwritten digits of scikit-learn to $dir/digits.npz"
    python3 deploy/digits.py "$dir/digits.npz"
  fi
  "$mantissa" dataset push digits "$dir/digits.npz"
}

# train NAME ARGUMENT...: trains to the end and keeps the job as $dir/NAME.json.
train() {
  local name=$1
  shift
  local submit=("$mantissa" submit --name "$name" --model builtin:resnet18 --width 0.25
    --dataset digits --batch-size 64 --epochs "$epochs" --seed 1 --request-id "$run-$name" "$@")
  say "training: $name"
  "${submit[@]}" --wait
  # The same request again returns the job that it made.
  "${submit[@]}" -o json > "$dir/$name.json"
}

run=$(date +%s)
start_server
push_digits
train fp32 --policy none
train demotion --policy demotion --low-ratio 0.5
train uniform --policy uniform --low-ratio 1.0
python3 deploy/compare_jobs.py "$dir"/{fp32,demotion,uniform}.json

if [ "$keep" = yes ]; then
  say "the server is still up. Train something of your own:"
  say "  export MANTISSA_SERVER=$MANTISSA_SERVER PATH=\$PATH:$(realpath "$built/client/cli")"
  say "  mantissa submit --wait --model builtin:squeezenet --width 0.25 --dataset digits --epochs 5"
  say "stop it: kill $server_pid (a job that runs goes on; \`mantissa cancel JOB\` before ends it)"
fi
