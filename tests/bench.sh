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

program=train/against.py
bench 1 "'make bench-train' in the build folder installs it" signs

finish
