#!/bin/sh
# models.sh: every network of models/ compiled, its C built and run, and each
# step's result compared with the oracle (rnc verify), at sizes that divide by
# nothing.  Small pictures here; with RNC_TEST_FULL set, the sizes people use and
# every ISA of this CPU.
. "$(dirname "$0")/lib.sh"

# models.sh --one LABEL NET OPTION...: one of them; leaves LABEL.passed or says what failed.
if [ "${1:-}" = --one ]; then
    label=$2 net=$3
    shift 3
    if "$rnc" verify "$src/models/$net.net" --init random:1 --random 2 --tolerance 1e-5 "$@" \
        > "$out/$label.log" 2>&1; then
        : > "$out/$label.passed"
    else
        echo "FAIL $label: rnc verify models/$net.net --init random:1 --random 2 --tolerance 1e-5 $*"
        tail -n 5 "$out/$label.log" | sed 's/^/    /'
    fi
    exit 0
fi

# A line each: label, model, options of rnc verify (which takes all ISAs of the CPU,
# unless it is told one).
cases() {
    cat << 'C'
resnet18 resnet18 -D size=65x49 --isa portable
resnet18-balanced resnet18 -D size=65x49 --optimize balanced
resnet34 resnet34 -D size=33x47 --isa portable
resnet50 resnet50 -D size=65x49
resnet50-threads resnet50 -D size=65x49 --threads 3 --isa portable
resnet50-batch resnet50 -D size=33x47 --batch 3 --isa portable
resnet50-turns resnet50 -D size=33x47 --batch 4 --machine cortex-a72 --isa portable --input-type u8 --tap layer2.0.add1
resnet50-u8 resnet50 -D size=33x33 --input-type u8 --input-order nhwc --isa scalar
resnet50-blas resnet50 -D size=65x49 --backend openblas --isa portable
resnet101 resnet101 -D size=33x47 --isa portable
resnet152 resnet152 -D size=33x33 --isa portable
resnext50_32x4d resnext50_32x4d -D size=65x49 --isa portable
wide_resnet50_2 wide_resnet50_2 -D size=33x47 --isa portable
seresnet50 seresnet50 -D size=65x49 --isa portable
mobilenet_v2 mobilenet_v2 -D size=65x49
densenet121 densenet121 -D size=65x49 --isa portable
resnet8 resnet8
resnet8-odd resnet8 -D size=37x29 -D filters=13 --isa portable
resnet20 resnet20
resnet20-odd resnet20 -D size=37x29 -D filters=13
resnet32 resnet32 --isa portable
resnet44 resnet44 --isa portable
resnet56 resnet56 --isa portable
resnet110 resnet110 --isa portable
resnet-200 resnet -D layers=200 -D size=33x33 --isa portable
resnet-early resnet -D early_stride=true -D size=33x47 --isa portable
resnet-v2-18 resnet-v2 -D layers=18 -D size=65x49 --isa portable
resnet-v2-50 resnet-v2 -D size=33x47 --isa portable
resnet-cifar-164 resnet-cifar -D layers=164 --isa portable
resnet-cifar-b resnet-cifar -D option=B --isa portable
resnet-cifar-164b resnet-cifar -D layers=164 -D option=B -D size=19x13 --isa portable
plain plain -D layers=18 -D size=33x47 --isa portable
plain-cifar plain-cifar --isa portable
identity-block tutorial/identity-block
identity-block-2 tutorial/identity-block-2
convolutional-block tutorial/convolutional-block
convolutional-block-7 tutorial/convolutional-block -D f=7 -D filters=5,11,21 -D stride=3
resnet50-keras tutorial/resnet50-keras -D end_points=true
resnet50-keras-batch tutorial/resnet50-keras --batch 3 --input-type f32 --input-order nchw --isa portable
plain50-keras tutorial/plain50-keras --isa portable
tutorial-v2 tutorial/resnet-v2 -D size=65x49 -D end_points=true --isa portable
C
    [ -z "${RNC_TEST_FULL:-}" ] || for net in resnet18 resnet34 resnet50 resnet101 resnet152 \
        resnext50_32x4d wide_resnet50_2 seresnet50 mobilenet_v2 densenet121; do
        echo "$net-224 $net"
        echo "$net-225x191 $net -D size=225x191"
    done
    [ -z "${RNC_TEST_FULL:-}" ] || echo "resnet50-balanced resnet50 --optimize balanced"
}

rm -f "$out"/*.passed "$out/cases" || exit 1
if [ "${RNC_HAVE_OPENBLAS:-yes}" = yes ]; then
    cases > "$out/cases"
else
    cases | grep -v openblas > "$out/cases"
    echo "skipped: OpenBLAS is not installed"
fi
export RNC_SRCDIR="$src" RNC="$rnc" RNC_TEST_OUT="${out%/models}"
xargs -P "$(nproc 2> /dev/null || echo 1)" -L 1 sh "$0" --one < "$out/cases"
passed=$(find "$out" -name '*.passed' | wc -l)
failed=$(($(wc -l < "$out/cases") - passed))
# Nobody adds a model and forgets it here.
for file in "$src"/models/*.net "$src"/models/tutorial/*.net; do
    grep -q '^net ' "$file" || continue
    net=${file#"$src/models/"}
    net=${net%.net}
    cut -d ' ' -f 2 "$out/cases" | grep -qx "$net" && continue
    failed=$((failed + 1))
    echo "FAIL $net: models/$net.net is not in the list of tests/models.sh"
done
passed=$((passed))
finish
