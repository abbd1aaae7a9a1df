#!/bin/sh
# Searches an arm's own learning rate: short runs that differ in nothing else, then the held-out loss of each.
#
#   recipes/arms/rates.sh causal 600 0.004 0.008 0.012 0.02 0.03
#
# The rate is that of the matrices (arm.muon_lr); the rest of the weights keep theirs at a quarter of it, as in the
# recipes. A run that was cut off goes on where it was. PYTHON and RUNS as for run.sh.
set -eu
recipes=$(cd "$(dirname "$0")" && pwd)
PYTHON=${PYTHON:-python}
RUNS=${RUNS:-runs}
arm=$1
steps=$2
shift 2

for rate in "$@"; do
    run=$RUNS/rates-$arm-$steps-$rate
    rest=$("$PYTHON" -c 'import sys; print(float(sys.argv[1]) / 4)' "$rate")
    "$PYTHON" -m redraft train "$recipes/$arm.toml" --set "train.max_steps=$steps" --set "arm.muon_lr=$rate" \
        --set "arm.adamw_lr=$rest" --run-dir "$run"
done
for rate in "$@"; do
    printf '%s  ' "$rate"
    grep '"kind": "validation"' "$RUNS/rates-$arm-$steps-$rate/metrics.jsonl" | tail -n 1 |
        "$PYTHON" -c 'import json, sys; print({k: v for k, v in json.load(sys.stdin).items() if k.endswith("nats")})'
done
