#!/bin/sh
# Trains the arms one after the other on equal numbers of tokens, then asks all of them the same held-out problems.
#
#   recipes/arms/run.sh            # one round of 9000 steps an arm
#   recipes/arms/run.sh 600 9000   # a round of 600 steps first
#
# A round that was cut off goes on where it was. Settings, by environment variable:
#   PYTHON  interpreter that has redraft    ARMS   which arms, in this order
#   RUNS    where runs and results go       COUNT  problems of each order
set -eu
recipes=$(cd "$(dirname "$0")" && pwd)
PYTHON=${PYTHON:-python}
ARMS=${ARMS:-diffusion causal prefix one_shot}
RUNS=${RUNS:-runs}
COUNT=${COUNT:-300}
mkdir -p "$RUNS"

for steps in "${@:-9000}"; do
    named=
    for arm in $ARMS; do
        run=$RUNS/arms-$arm-$steps
        "$PYTHON" -m redraft train "$recipes/$arm.toml" --set "train.max_steps=$steps" --run-dir "$run"
        named="$named --arm $arm=$run/model"
    done
    result=$RUNS/arms-$steps
    # shellcheck disable=SC2086 # names and folders are words of their own
    "$PYTHON" -m redraft eval answer-first $named --count "$COUNT" --dial max_steps=5 --dial max_value=100 \
        --plot "$result.png" --json > "$result.json.part"
    mv "$result.json.part" "$result.json"
done
