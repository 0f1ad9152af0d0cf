#!/bin/sh
# examples.sh: classify and evaluate with the network, weights and pictures that
# ship with rnc, made by `make example` as a user makes them; what they print, and
# what they refuse.  (accuracy.sh compares the logits.)
set -u
src=$RNC_SRCDIR data=$RNC_SRCDIR/examples/data
out=$RNC_TEST_OUT/examples
rm -rf "$out"
mkdir -p "$out" || exit 1
passed=0 failed=0

pass() { passed=$((passed + 1)); }
fail() {
    echo "FAIL $1"
    sed 's/^/    /' "$out/log" | tail -n 20
    failed=$((failed + 1))
}
finish() {
    echo "$passed passed, $failed failed"
    [ $failed -eq 0 ]
    exit
}

# compiled: the example programs for ResNet-20.
compiled() {
    (cd "$RNC_BUILDDIR" && ${MAKE:-make} -s example EXAMPLE_DIR="$out" \
        NET=models/resnet20.net WEIGHTS="$data/resnet20-cifar10.safetensors") > "$out/log" 2>&1
}

# prints WHAT LINE COMMAND...: the command succeeds and its last line is LINE.
prints() {
    what=$1 line=$2
    shift 2
    if "$@" > "$out/log" 2>&1 && [ "$(tail -n 1 "$out/log")" = "$line" ]; then pass; else fail "$what"; fi
}

# refuses WHAT STATUS PATTERN COMMAND...: it ends with the status and a message.
refuses() {
    what=$1 wanted=$2 pattern=$3
    shift 3
    "$@" > "$out/log" 2>&1
    status=$?
    if [ $status -eq "$wanted" ] && grep -q "$pattern" "$out/log"; then pass; else fail "$what (status $status)"; fi
}

if [ "$RNC_HAVE_PICTURES" != yes ]; then
    echo "skipped: no libjpeg-turbo or no libpng for the examples"
    finish
fi
if ! compiled; then
    fail 'make example'
    finish
fi
weights=$out/resnet20.weights
awk -v folder="$data/cifar10" '$2 <= 1 { printf "%s/%s\t%s\n", folder, $1, $2 }' "$data/cifar10/labels.txt" > "$out/set.list"
prints 'evaluate a data set' '4 of 4 right: top-1 4, top-5 4' "$out/evaluate" "$weights" "$out/set.list"
prints 'evaluate' '20 of 20 right: top-1 20, top-5 20' "$out/evaluate" "$weights" "$data/cifar10"
"$out/classify" "$weights" "$data/cifar10/cifar10_00_3.png" > "$out/log" 2>&1
if [ "$(sed -n '1s/^ *\([a-z]*\) .*/\1/p' "$out/log")" = cat ] && [ "$(wc -l < "$out/log")" -eq 5 ]; then
    pass
else
    fail 'classify'
fi
seq -f 'name %g' 0 9 > "$out/ten.txt"
prints 'classify --labels' 'name 3' sh -c '"$@" | sed -n "1s/^ *\(name 3\) .*/\1/p"' - \
    "$out/classify" "$weights" --labels "$out/ten.txt" "$data/cifar10/cifar10_00_3.png"

seq 0 8 > "$out/nine.txt"
picture=$data/cifar10/cifar10_00_3.png
refuses 'too few labels' 1 'nine.txt: it has 9 names' "$out/classify" "$weights" --labels "$out/nine.txt" "$picture"
refuses 'no arguments' 2 '^usage: ' "$out/classify"
refuses 'no weights' 1 "$out/none" "$out/classify" "$out/none" "$picture"
refuses 'no picture' 1 'none.png: No such file' "$out/classify" "$weights" "$out/none.png"
refuses 'a text as a picture' 1 'neither a JPEG nor a PNG' "$out/classify" "$weights" "$out/ten.txt"
head -c 500 "$picture" > "$out/cut.png"
refuses 'a cut picture' 1 'cut.png: ' "$out/classify" "$weights" "$out/cut.png"
head -c 100000 "$weights" > "$out/cut.weights"
refuses 'cut weights' 1 'cut.weights: ' "$out/classify" "$out/cut.weights" "$picture"
refuses 'a folder without labels' 1 'labels.txt' "$out/evaluate" "$weights" "$out"
echo 'cifar10_00_3.png 10' > "$out/labels.txt"
refuses 'a class too high' 1 'class 10 of' "$out/evaluate" "$weights" "$out"
finish
