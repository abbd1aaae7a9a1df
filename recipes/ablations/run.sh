#!/bin/sh
# Trains the base and each change of it on equal numbers of tokens, for every seed, and asks all of them the same
# development problems.
#
#   recipes/ablations/run.sh              # all changes, seeds 1 and 2
#   recipes/ablations/run.sh no-own base  # some of them
#
# A round that was cut off goes on where it was. Settings, by environment variable:
#   PYTHON  interpreter that has redraft    SEEDS  which seeds
#   RUNS    where runs and results go       STEPS  steps of a run    COUNT  problems
set -eu
recipe=$(cd "$(dirname "$0")" && pwd)/base.toml
PYTHON=${PYTHON:-python}
SEEDS=${SEEDS:-1 2}
RUNS=${RUNS:-runs/ablations}
STEPS=${STEPS:-1600}
COUNT=${COUNT:-400}
mkdir -p "$RUNS"

# What each name changes.
changes() {
    case $1 in
    base) ;;
    no-corruption) echo noise.corrupt_share=0 ;;           # visible tokens are never wrong
    no-own) echo noise.own_predictions_share=0 ;;          # wrong ones are random, never the model's own
    no-all-mask) echo noise.all_mask_share=0 ;;            # no row starts where decoding starts
    no-confident) echo noise.confident_share=0 ;;          # no row shows what the model is surest of
    no-lines) echo noise.line_share=0 noise.result_share=0 ;;  # what is hidden is drawn at random
    complementary) echo noise.is_complementary=true ;;     # each token is predicted once; more time for a step
    certainty) echo noise.certainty_weight=0.5 ;;          # and the right guesses are made surer
    *) echo "no change is called $1" >&2; exit 2 ;;
    esac
}

for name in ${*:-base no-corruption no-own no-all-mask no-confident no-lines complementary certainty}; do
    for seed in $SEEDS; do
        run=$RUNS/$name-$seed
        [ -f "$run.sudoku.json" ] && continue
        wanted=$(changes "$name")
        set -- --set "train.max_steps=$STEPS" --set "train.seed=$seed" --set "data.seed=$seed"
        for change in $wanted; do set -- "$@" --set "$change"; done
        "$PYTHON" -m redraft train "$recipe" "$@" --run-dir "$run"
        "$PYTHON" -m redraft eval arithmetic --split dev --count "$COUNT" --seed 7 --dial min_steps=1 --dial max_steps=1 \
            --dial max_value=100 --model "$run/model" --json > "$run.arithmetic.json"
        "$PYTHON" -m redraft eval sudoku --split dev --count "$COUNT" --seed 7 --model "$run/model" --json \
            > "$run.sudoku.json.part"
        mv "$run.sudoku.json.part" "$run.sudoku.json"
    done
done
