#!/bin/sh
# experiments.sh: the experiments of tests/experiments in their short form, with a few pictures and one
# epoch: that each trains to the end, says what came of it, and finds itself done when it is called
# again.  Compiling six steps takes minutes: in make check-full alone.
. "$(dirname "$0")/lib.sh"
data=$(cd "$src/.." && pwd)/shared/data

if [ -z "${RNC_TEST_FULL:-}" ]; then
    skip 'the experiments are tried by make check-full'
    finish
    exit
fi
if [ ! -d "$data/signs" ] || [ ! -e "$data/cifar10/train-jpeg.tar.zst" ] || ! have zstd ||
    [ "${RNC_HAVE_PICTURES:-no}" != yes ]; then
    skip 'no ../shared/data, no zstd, or no pictures are read here'
    finish
    exit
fi
rm -rf "$out" && mkdir -p "$out" && cd "$out" || exit 1
. "$src/tests/expect.sh"
export XDG_CACHE_HOME="$PWD/cache" DATA="$data" RNC="$rnc" RNC_EXPERIMENTS="$PWD/runs"

# tries NAME TEXT...: in its short form, twice; each text is in what it prints
tries() {
    label=$1
    for time in first second; do
        sh "$src/tests/experiments/$label.sh" --short > out 2> err && result good || result bad "$label, the $time time"
        for text in "$@"; do
            [ "$text" = "$label" ] || says out "$text"
        done
    done
    says out 'this run has ended already'
}
tries signs 'seed 0: ' ' of the test pictures are right after epoch 1'
tries cifar 'ResNet-20: ' ' of what is held back are right after epoch 1'
tries depth 'plain-20: loss ' 'plain-56: loss ' 'resnet-20: loss ' 'resnet-56: loss ' 'wrote '
there runs/depth.svg runs/resnet20-short/best.safetensors
finish
