#!/bin/sh
# bench.sh: tests/bench/bench.py before it measures: help, names of networks and messages, with
# Python alone (-S: no packages), as who starts it by hand may have it.
. "$(dirname "$0")/lib.sh"
rm -rf "$out" && mkdir -p "$out" && cd "$out" || exit 1
if ! command -v python3 > /dev/null 2>&1; then
    echo 'skipped: no python3 for make bench'
    finish
    exit
fi

# bench STATUS TEXT OPTION...: ends with that status and prints that text; leaves out.
program=bench.py
bench() {
    wanted=$1 text=$2
    shift 2
    python3 -B -S "$src/tests/bench/$program" --models-dir "$src/models" "$@" > out 2>&1
    status=$?
    if [ $status -eq "$wanted" ] && tr -s '\n ' '  ' < out | grep -qF -- "$text"; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        echo "FAIL $program $*: status $status, not $wanted, or no '$text'"
        sed 's/^/    /' out | head -n 20
    fi
}

bench 0 'make bench: rnc beside' --help
bench 1 "Python has no 'numpy' here; 'make bench' in the build folder installs" resnet8
bench 2 "no network 'resnet51'" resnet51
bench 2 'there are autoencoder, convnext_tiny,' resnet51
bench 2 "'resnet50:0': a batch is a number from 1 on" resnet50:0
bench 2 "'layers' is not of the form NAME=VALUE" resnet,layers
bench 2 'no folder nowhere' resnet50 --models-dir nowhere
bench 2 "no 'caffe'; there are onnxruntime" --peers caffe
bench 0 'resnet20:8 resnet-cifar,layers=110' --list resnet20:8 resnet-cifar,layers=110 resnet20:8
# Nobody adds a model and forgets it: 'all' has each that can be classified with.
bench 0 'resnet50:8 resnet50:32' --list all
for file in "$src"/models/*.net "$src"/models/tutorial/*50*.net; do
    net=${file#"$src/models/"}
    bench 0 " ${net%.net} " --list resnet50:4 all
done
# What is measured without a name is there, too.
bench 0 resnet50 --list
sort out > default
bench 0 resnet50 --list all
sort out | comm -23 default - > missing
if [ ! -s missing ] && [ -s default ]; then
    passed=$((passed + 1))
else
    failed=$((failed + 1))
    echo "FAIL bench.py --list: not in 'all': $(tr '\n' ' ' < missing)"
fi

# 'models' has the networks of docs/models.md and nothing else.
bench 0 resnet8 --list models
sort out > models
sed -n 's/^| \[\([^]]*\)\].*/\1/p' "$src/docs/models.md" | sort | diff models - > missing && [ -s models ] && passed=$((passed + 1)) || {
    failed=$((failed + 1))
    echo "FAIL bench.py --list models: not docs/models.md's: $(tr '\n' ' ' < missing)"
}

# What was measured goes into docs/models.md's column, made if it is not there, and again over itself.
cat > results.json << 'T'
{"machine": {"name": "A Core", "cc": "gcc (Debian 12) 12.2"},
 "rows": [
  {"model": "resnet18", "threads": 1, "batch": 1, "conditions": {"rounds": 5}, "programs": {"rnc": {}, "onnxruntime": {"ratio": 1.625, "version": "1.32.0"}}},
  {"model": "resnet18", "threads": 2, "batch": 1, "conditions": {"rounds": 5}, "programs": {"rnc": {}, "onnxruntime": {"ratio": 9}}},
  {"model": "resnet50", "threads": 1, "batch": 8, "conditions": {"rounds": 5}, "programs": {"rnc": {}, "onnxruntime": {"ratio": 9}}},
  {"model": "tcn", "threads": 1, "batch": 1, "conditions": {"rounds": 5}, "programs": {"rnc": {}, "onnxruntime": {"why": "no ONNX: a state"}}}]}
T
program=catalogue.py
# catalogue STATUS TEXT: the results of results.json into page.md; prints that text.
catalogue() {
    python3 -B -S "$src/tests/bench/catalogue.py" results.json page.md > out 2>&1
    status=$?
    if [ $status -eq "$1" ] && grep -qF -- "$2" out; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        echo "FAIL catalogue.py: status $status, not $1, or no '$2'"
        sed 's/^/    /' out | head -n 20
    fi
}
# has TEXT NUMBER: so many lines of page.md have it.
has() {
    if [ "$(grep -cF -- "$1" page.md)" -eq "$2" ]; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        echo "FAIL catalogue.py: not $2 lines with '$1'"
    fi
}
cp "$src/docs/models.md" page.md
catalogue 0 'tcn: no ONNX: a state'
has ' MB | 1.62 | torchvision, Keras' 1
has ' bytes | - | its own' 1
has '| 9.00 |' 0
has '- *Beside ONNX Runtime*: ONNX Runtime'"'"'s time divided by rnc'"'"'s, one thread, batch 1, the median of 5 rounds of `make bench`; A Core, gcc, ONNX Runtime 1.32.0.' 1
has '| arena | beside ONNX Runtime | weights |' "$(grep -c '^| network |' page.md)"
cp page.md again.md
catalogue 0 'tcn: no ONNX: a state'
cmp -s page.md again.md && passed=$((passed + 1)) || { failed=$((failed + 1)) && echo 'FAIL catalogue.py: again it writes another page'; }
sed 's/1\.625/0.984/' results.json > slower.json && mv slower.json results.json
catalogue 1 'slower than ONNX Runtime: resnet18'
has ' MB | 0.98 | torchvision, Keras' 1
has '- *Beside ONNX Runtime*' 1

program=train/against.py
bench 1 "'make bench-train' in the build folder installs it" signs

finish
