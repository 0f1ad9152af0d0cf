#!/bin/sh
# models.sh: every network of models/ compiled, its C built and run, and each
# step's result compared with the oracle (rnc verify), at sizes that divide by
# nothing.  Small pictures here; with RNC_TEST_FULL set, the sizes people use and
# every ISA of this CPU.
set -u
src=${RNC_SRCDIR:-$(cd "$(dirname "$0")/.." && pwd)}
rnc=${RNC:-$PWD/rnc}
out=${RNC_TEST_OUT:-$PWD/tests-out}/models
mkdir -p "$out" || exit 1
passed=0 failed=0

# verify LABEL NET OPTION...
verify() {
    label=$1 net=$2
    shift 2
    if "$rnc" verify "$src/models/$net.net" --init random:1 --random 2 --tolerance 1e-5 "$@" \
        > "$out/$label.log" 2>&1; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        echo "FAIL $label: rnc verify models/$net.net --init random:1 --random 2 --tolerance 1e-5 $*"
        tail -n 5 "$out/$label.log" | sed 's/^/    /'
    fi
}

imagenet="resnet18 resnet50 resnext50_32x4d seresnet50 mobilenet_v2 densenet121"
deep="resnet34 resnet101 resnet152 wide_resnet50_2"
cifar="resnet20 resnet32 resnet44 resnet56 resnet110"

for net in $imagenet; do
    verify "$net-odd" "$net" -D size=65x49 --isa all
done
verify resnet50-threads resnet50 -D size=65x49 --threads 3
verify resnet50-blas resnet50 -D size=65x49 --backend openblas
verify resnet50-batch resnet50 -D size=33x47 --batch 3
verify resnet50-u8 resnet50 -D size=33x33 --input-type u8 --input-order nhwc
for net in $deep; do
    verify "$net-odd" "$net" -D size=33x47
done
for net in $cifar; do
    verify "$net" "$net" --isa all
done
verify resnet20-wide resnet20 -D size=37x29 -D filters=13 --isa all
if [ -n "${RNC_TEST_FULL:-}" ]; then
    for net in $imagenet $deep; do
        verify "$net-224" "$net" --isa all
        verify "$net-225x191" "$net" -D size=225x191 --isa all
    done
fi
# Nobody adds a model and forgets it here.
for file in "$src"/models/*.net; do
    net=$(basename "$file" .net)
    case " $imagenet $deep $cifar " in
    *" $net "*) ;;
    *)
        failed=$((failed + 1))
        echo "FAIL $net: models/$net.net is not in the lists of tests/models.sh"
        ;;
    esac
done
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
