#!/bin/sh
# tutorial.sh: the residual blocks of the tutorial against what it has published, and the
# numbers of parameters that papers and frameworks state.
#
# --init alone reproduces the kernels: the whole outputs (tests/tutorial/*.npy, from the
# input A_prev.npy, which is NumPy's RandomState(1).randn(3, 4, 4, 6)) must agree to 1e-6,
# from the interpreter and from the C with every backend and instruction set, on one
# thread and on two (tests/tutorial/drive.c).
. "$(dirname "$0")/lib.sh"
rm -rf "$out" && mkdir -p "$out" && cd "$out" || exit 1
data=$src/tests/tutorial
level=$(level -O2)

# block LABEL NET EXPECTED ROW OPTION...
block() {
    name=$1 net=$src/models/tutorial/$2.net expected=$data/$3.npy row=$4
    shift 4
    check "$name, interpreter" "$rnc" eval "$net" --init glorot_uniform:0 "$@" \
        --input "$data/A_prev.npy" --output-dir "$name-values"
    for backend in native openblas; do
        isas=all libs=
        if [ $backend = openblas ]; then
            [ "${RNC_HAVE_OPENBLAS:-yes}" = yes ] || continue
            isas=portable libs=-lopenblas
        fi
        check "$name, $backend" "$rnc" "$net" --init glorot_uniform:0 "$@" --isa $isas \
            --backend $backend -q -o block.c
        # The words of CC and of the flags are many on purpose.
        check "$name, $backend compiled" ${CC:-cc} $level ${RNC_TEST_CFLAGS:-} -DNET_INFO=block_info \
            -DNET_HEADER='"block.h"' -I. -I"$src/runtime" -o drive "$data/drive.c" block.c \
            "$build/librncrt.a" $libs -lpthread -lm
        for threads in 1 2; do
            check "$name, $backend, $threads threads" ./drive block.weights "$data/A_prev.npy" \
                "$expected" $threads $row
            cp check.log runs.log
            # Each instruction set that is everywhere must have been among them.
            check "$name, $backend, portable was run" grep -q '^portable' runs.log
            [ $backend = openblas ] || check "$name, scalar was run" grep -q '^scalar' runs.log
        done
    done
    check "$name, whole output of the interpreter" ./drive --file "$name-values/A.npy" "$expected" $row
}

block identity identity-block identity '0.19716813 0 1.3561227 2.1713073 0 1.3324987'
block convolutional convolutional-block convolutional \
    '0.09018463 1.2348977 0.46822017 0.0367176 0 0.65516603'
block course identity-block identity-course '0.94822985 0 1.16101444 2.747859 0 1.36677003' -D draw=1
[ "${RNC_HAVE_OPENBLAS:-yes}" = yes ] || echo "skipped: OpenBLAS is not installed"
# A comparison that cannot fail shows nothing.
if ./drive --file course-values/A.npy "$data/identity.npy" 0 0 0 0 0 0 > /dev/null 2>&1; then
    failed=$((failed + 1))
    echo 'FAIL drive takes any output'
else
    passed=$((passed + 1))
fi

# ---- numbers of parameters: trained, running statistics, network ----
# torchvision; He et al. 2015, table 6 (0.27, 0.46, 0.66, 0.85, 1.7, 19.4 M) and 2016
# (1.7 M); Keras 3's ResNet50V2 and so on; the ResNet-50 of the course has 23,600,006 with
# statistics, the tutorial's less for its last two blocks.
while read -r trained statistics net options; do
    # The options are words.
    check "parameters of $net $options" sh -c "\"$rnc\" summary \"$src/models/$net.net\" $options |
        tee /dev/stderr | grep -q ' $trained trainable, $statistics not trainable'"
done << 'T'
11,689,512 9,600 resnet18
21,797,672 17,024 resnet34
25,557,032 53,120 resnet50
44,549,160 105,344 resnet101
60,192,808 151,424 resnet152
11,689,512 9,600 resnet -D layers=18
21,797,672 17,024 resnet -D layers=34
25,557,032 53,120 resnet
44,549,160 105,344 resnet -D layers=101
60,192,808 151,424 resnet -D layers=152
269,722 1,376 resnet20
464,154 2,272 resnet32
658,586 3,168 resnet44
853,018 4,064 resnet56
1,727,962 8,096 resnet110
1,661,274 24,224 resnet-cifar -D layers=164
19,421,274 89,632 resnet-cifar -D layers=1202
23,546,886 53,120 tutorial/resnet50-keras -D narrow=512
17,907,718 51,072 tutorial/resnet50-keras
25,568,360 45,440 tutorial/resnet-v2
44,577,896 97,664 tutorial/resnet-v2 -D layers=101
60,236,904 143,744 tutorial/resnet-v2 -D layers=152
T

# What there is not is refused, with what there is.
refuse() {
    label=$1
    shift
    "$rnc" "$@" -o refused.c > check.log 2>&1
    status=$?
    check "$label" test $status -eq 1
    "$rnc" "$@" -o refused.c > check.log 2>&1
    if grep -q "there is no case for" check.log && grep -q "the cases are $label" check.log; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        echo "FAIL rnc $*: it does not list $label"
    fi
    check "$label: nothing is left" test ! -e refused.c
}
refuse '18, 34, 50, 101, 152, 200' "$src/models/resnet.net" -D layers=99
refuse '18, 34, 50, 101, 152, 200' "$src/models/resnet-v2.net" -D layers=20
refuse '20, 32, 44, 56, 110, 164, 1202' "$src/models/resnet-cifar.net" -D layers=21
refuse '"A", "B"' "$src/models/resnet-cifar.net" -D option=C
refuse '18, 34' "$src/models/plain.net" -D layers=50
refuse '20, 32, 44, 56, 110' "$src/models/plain-cifar.net" -D layers=1202
# How the tutorial trains it.
"$rnc" --dump train "$src/models/tutorial/signs.net" -D epochs=3 > "$out/signs.train" 2>&1
check 'the training of the signs' grep -q '^    epochs 3$' "$out/signs.train"
check 'its optimizer' \
    grep -q '^    optimizer adam rate=0.001 .* epsilon=1e-07 like=keras$' "$out/signs.train"

refuse '50, 101, 152, 200' "$src/models/tutorial/resnet-v2.net" -D layers=18

# ---- the pictures: 120 hand signs, of which a network of random weights knows nothing ----

signs=${RNC_SHARED_DATA:-$src/../shared/data}/signs/jpg64/test_signs
if [ "${RNC_HAVE_PICTURES:-no}" != yes ] || [ -z "${MAKE:-}" ]; then
    echo "skipped: the examples are not built here (make check does)"
elif [ ! -d "$signs" ]; then
    echo "skipped: no ../shared/data"
else
    mkdir signs examples
    for file in "$signs"/*.jpg; do
        cp "$file" "signs/$(basename "$file" | tr ' ' _)"
    done
    ls signs | sed 's/^\(.\).*/& \1/' > labels.txt && mv labels.txt signs
    check 'weights for the signs' "$rnc" convert "$src/models/tutorial/resnet50-keras.net" \
        --init glorot_uniform:0 -q -o signs.safetensors
    check 'make example for the signs' $MAKE -s -C "$build" example \
        NET=models/tutorial/resnet50-keras.net WEIGHTS="$out/signs.safetensors" \
        EXAMPLE_DIR="$out/examples"
    check 'the signs are evaluated' sh -c \
        'examples/evaluate examples/resnet50-keras.weights signs | grep "of 120 right"'
fi

finish
