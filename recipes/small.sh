#!/bin/sh
# Trains small.toml in sittings of limited time, and brings the model home in pieces of under 16 MB.
#
#   recipes/small.sh train 540 pieces      # at most 540 s of it: begins, or goes on where the last sitting stopped
#   recipes/small.sh join pieces model     # elsewhere: checks the pieces and puts the folder `model` together
#
# What follows `train SECONDS FOLDER` goes to `redraft train`, for example --set train.device=cpu.
# Settings, by environment variable:
#   PYTHON  interpreter that has redraft    RUN  the run's directory
set -eu
recipes=$(cd "$(dirname "$0")" && pwd)
PYTHON=${PYTHON:-python}
RUN=${RUN:-runs/small}

usage() {
    sed -n '4,5s/^# *//p' "$0" >&2
    exit 2
}

train() {
    [ $# -ge 2 ] || usage
    seconds=$1 pieces=$2
    shift 2
    # On SIGTERM a run ends its step and saves; timeout then says 124, which is no failure here.
    timeout --signal=TERM "$seconds" "$PYTHON" -m redraft train "$recipes/small.toml" --run-dir "$RUN" "$@" ||
        [ $? -eq 124 ]
    rm -rf "$RUN/home"
    mkdir -p "$RUN/home" "$pieces"
    "$PYTHON" -m redraft convert "$RUN/model" "$RUN/home/model" --dtype bfloat16
    cp "$RUN/recipe.json" "$RUN/metrics.jsonl" "$RUN/home"
    rm -f "$pieces"/small.tar.* "$pieces/SHA256SUMS"
    tar -C "$RUN/home" -czf - . | split -b 15000000 -d - "$pieces/small.tar."
    (cd "$pieces" && sha256sum small.tar.* > SHA256SUMS)
}

join() {
    [ $# -eq 2 ] || usage
    pieces=$1 target=$2
    [ ! -e "$target" ] || { echo "$target is there already; name a new folder" >&2; exit 2; }
    (cd "$pieces" && sha256sum --check --quiet SHA256SUMS)
    mkdir -p "$target.part"
    cat "$pieces"/small.tar.* | tar -C "$target.part" -xzf -
    mv "$target.part/recipe.json" "$target.part/metrics.jsonl" "$pieces"
    mv "$target.part/model" "$target"
    rmdir "$target.part"
}

[ $# -ge 1 ] || usage
command=$1
shift
case $command in
    train) train "$@" ;;
    join) join "$@" ;;
    *) usage ;;
esac
