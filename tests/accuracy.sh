#!/bin/sh
# accuracy.sh: trained networks on real pictures against the answers that ONNX
# Runtime and PyTorch gave for them: how many are right, and every logit to 5e-6
# of the picture's largest in magnitude, over all its classes.  With weights of 16 bits
# at most one of 200 more or less is right, and logits are within 1.5 times what
# docs/weights-format.md says.
#
# ResNet-20 and its 20 pictures ship with rnc.  The others come from a folder
# beside the checkout, ../shared/data, and are skipped where it is absent.
# ResNet-8's answers are probabilities, of Keras on TensorFlow: they are held to 2e-5.
# RNC_TEST_PICTURES=N takes only the first N photographs (default 10; all 200
# with RNC_TEST_FULL).
# The C is made for the best instruction set of this CPU alone, which is the one that runs.
# Of those in ../shared/data, CIFAR's deeper ones wait for RNC_TEST_FULL, whose kind the shipped ResNet-20
# is; and so does ResNet-8 with floats for its input.
. "$(dirname "$0")/lib.sh"
best=$(isas | head -n 1)
data=${RNC_SHARED_DATA:-$src/../shared/data}

result() { # LABEL STATUS TEXT
    if [ "$2" -eq 0 ]; then
        passed=$((passed + 1))
        echo "$1: $3"
    else
        failed=$((failed + 1))
        echo "FAIL $1: $3"
    fi
}

# compare EXPECTED.tsv GOT.tsv BOUND: the first lists either all logits or five best
# classes and their logits; prints the worst error relative to the picture's
# largest logit, and how many pictures were compared.
compare() {
    awk -F '\t' -v bound="$3" '
        function abs(x) { return x < 0 ? -x : x }
        /^#/ { next }
        NR == FNR { got[$1] = $3; next }
        !($1 in got) { next }
        {
            n = split($NF, want, " ")
            if (NF == 4) split($3, at, " ")
            classes = split(got[$1], g, " ")
            largest = 0 # of all classes: five best can all be near zero
            for (i = 1; i <= classes; i++) {
                if (g[i] ~ /n/) worst = 1e9 # nan and inf compare with nothing: not to pass
                if (abs(g[i]) > largest) largest = abs(g[i])
            }
            # where only the five best are known, no other may be above them
            for (i = 1; NF == 4 && i <= classes; i++)
                if (g[i] - want[1] > bound * largest) worst = 1e9
            for (i = 1; i <= n; i++) {
                value = g[NF == 4 ? at[i] + 1 : i]
                e = value == "" ? 1e9 : abs(value - want[i]) / largest
                if (e > worst) worst = e
            }
            pictures++
        }
        END { printf "%.2e %d\n", worst, pictures; exit !(pictures > 0 && worst <= bound) }
    ' "$2" "$1"
}

# close GOT EXPECTED SLACK: whether two counts differ by no more than SLACK
close() {
    [ -n "$1" ] && [ "$1" -ge $(($2 - $3)) ] && [ "$1" -le $(($2 + $3)) ]
}

# check NET WEIGHTS PICTURES EXPECTED TOP1 TOP5 FLAGS: as logits, the tap dense1, or with
# "probabilities" after that as the network's own output; with weights of the type f16 or bf16 if
# that is after it.
check() {
    net=$1 weights=$2 pictures=$3 expected=$4 first=$5 five=$6 flags=$7
    bound=5e-6 tap="--tap dense1" what=logit slack=0
    case ${8:-} in
    probabilities) bound=2e-5 tap='' what=probability ;;
    f16) bound=2.7e-3 slack=1 flags="--weights-type f16" ;;
    bf16) bound=2.3e-2 slack=1 flags="--weights-type bf16" ;;
    esac
    label=$net${flags:+ $flags}
    if ! make -s -C "$build" example NET="models/$net.net" WEIGHTS="$weights" \
        RNCFLAGS="--quiet --isa $best $tap $flags" > "$out/$net.log" 2>&1; then
        result "$label" 1 "it could not be built"
        tail -n 5 "$out/$net.log"
        return
    fi
    if ! "$build/examples/evaluate" "$build/examples/$net.weights" --logits "$out/$net.tsv" \
        "$pictures" > "$out/$net.txt" 2>&1; then
        result "$label" 1 "the pictures could not be evaluated"
        tail -n 5 "$out/$net.txt"
        return
    fi
    got=$(sed -n 's/.*top-1 \([0-9]*\), top-5 \([0-9]*\)$/\1 \2/p' "$out/$net.txt")
    if [ -n "$first" ]; then
        close "${got% *}" "$first" $slack && close "${got#* }" "$five" $slack
        result "$label" $? "right at top-1 and top-5: $got, expected $first $five"
    fi
    worst=$(compare "$expected" "$out/$net.tsv" $bound)
    result "$label" $? "worst error of a $what, relative to the picture's largest, and pictures: $worst"
}

if [ "${RNC_HAVE_PICTURES:-yes}" != yes ]; then
    echo "skipped: libjpeg-turbo or libpng is not installed"
    echo "0 passed, 0 failed"
    exit 0
fi

cifar10=$src/examples/data/cifar10
check resnet20 "$src/examples/data/resnet20-cifar10.safetensors" "$cifar10" \
    "$src/examples/data/resnet20-cifar10.tsv" 20 20 ""
check resnet20 "$src/examples/data/resnet20-cifar10.safetensors" "$cifar10" \
    "$src/examples/data/resnet20-cifar10.tsv" 20 20 "--input-type u8 --input-order nhwc"

if [ -d "$data" ] && [ "${RNC_HAVE_HDF5:-yes}" = yes ]; then
    # The pixels as they are: rnc's input is 0 to 255, and the network has no normalize.
    resnet8() {
        check resnet8 "$data/weights/resnet8-cifar10-keras.h5" "$cifar10" \
            "$data/expected/resnet8-cifar10-keras.tsv" 19 20 "$1" probabilities
    }
    resnet8 "--input-type u8 --input-order nhwc"
    [ -z "${RNC_TEST_FULL:-}" ] || resnet8 ""
elif [ -d "$data" ]; then
    echo "skipped: libhdf5 is not installed"
fi

if [ ! -d "$data" ]; then
    echo "skipped: no ../shared/data"
elif ! command -v zstd > /dev/null; then
    echo "skipped: no zstd to unpack ../shared/data"
else
    for net in ${RNC_TEST_FULL:+resnet20:20 resnet32:19 resnet44:20 resnet56:20}; do
        name=${net%:*}
        zstd -dqf "$data/weights/$name-cifar10.safetensors.zst" -o "$out/$name.safetensors"
        check "$name" "$out/$name.safetensors" "$cifar10" "$data/expected/$name-cifar10.tsv" \
            "${net#*:}" 20 ""
    done
    mkdir -p "$out/imagenet"
    rm -f "$out/imagenet"/*
    n=${RNC_TEST_PICTURES:-10}
    [ -z "${RNC_TEST_FULL:-}" ] || n=200
    head -n "$n" "$data/images/imagenet/labels.txt" > "$out/imagenet/labels.txt"
    while read -r file class; do
        ln -s "$data/images/imagenet/$file" "$out/imagenet/$file"
    done < "$out/imagenet/labels.txt"
    for net in resnet50:158:187 resnet18:151:186; do
        name=${net%%:*} top=${net#*:}
        zstd -dqf "$data/weights/$name-imagenet.safetensors.zst" -o "$out/$name.safetensors"
        if [ "$n" -eq 200 ]; then
            top1=${top%:*} top5=${top#*:}
        else
            top1='' top5='' # counts are known for all 200
        fi
        check "$name" "$out/$name.safetensors" "$out/imagenet" "$data/expected/$name-imagenet.tsv" \
            "$top1" "$top5" ""
        types='f16 bf16' # in make check only ResNet-18 with the coarser
        [ -n "${RNC_TEST_FULL:-}" ] || types=
        [ "$name$types" != resnet18 ] || types=bf16
        for type in $types; do
            check "$name" "$out/$name.safetensors" "$out/imagenet" \
                "$data/expected/$name-imagenet.tsv" "$top1" "$top5" "" $type
        done
        rm -f "$out/$name.safetensors" "$build/examples/$name.weights"
    done
fi
finish
