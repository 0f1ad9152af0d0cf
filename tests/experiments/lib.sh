# lib.sh: what experiments begin with: src, rnc, data, out, and `short`, "yes" with --short.
set -eu
src=${RNC_SRCDIR:-$(cd "$(dirname "$0")/../.." && pwd)}
rnc=${RNC:-$PWD/rnc}
data=${DATA:-$src/../shared/data}
out=${RNC_EXPERIMENTS:-$PWD/experiments}
short=
if [ "${1:-}" = --short ]; then
    short=yes
    shift
fi
mkdir -p "$out"
out=$(cd "$out" && pwd)

# needs FOLDER: ends where the data is not there
needs() {
    [ -e "$data/$1" ] && return
    echo "skipped: no $data/$1"
    exit 0
}

# cifar: the pictures of CIFAR-10 as folders by class in $pictures
cifar() {
    needs cifar10/train-jpeg.tar.zst
    pictures=$out/cifar10/train
    if [ ! -e "$out/cifar10/whole" ]; then
        mkdir -p "$out/cifar10"
        zstd -dc "$data/cifar10/train-jpeg.tar.zst" | tar -x -C "$out/cifar10"
        touch "$out/cifar10/whole"
    fi
    if [ -n "$short" ]; then
        pictures=$out/cifar10/few
        for class in "$out"/cifar10/train/*; do
            mkdir -p "$pictures/${class##*/}"
            for file in "$class"/000*.jpg; do ln -sf "$file" "$pictures/${class##*/}"; done
        done
    fi
}

# last FOLDER COLUMN: a number of the last epoch
last() {
    awk -F, -v column="$2" 'NR == 1 { for (i = 1; i <= NF; i++) if ($i == column) k = i }
        { x = $k } END { print x }' "$1/epochs.csv"
}
