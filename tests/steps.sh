#!/bin/sh
# steps.sh: the emitted C of trainings: steps against the interpreter (tests/train/steps.c), warnings,
# C++.
#
# An optimizing compiler takes ten times as long, and what a step computes does not depend on it: one
# step is built with -O1, the others without, and with RNC_TEST_FULL set all with -O1.
. "$(dirname "$0")/lib.sh"
rm -rf "$out" && mkdir -p "$out" && cd "$out" || exit 1
cp "$src"/tests/train/*.net . || exit 1
strict='-Wall -Wextra -Wpedantic -Wconversion -Wshadow -Werror'

# What tests/train/steps writes is built by these, as C99 with warnings as errors.
quick=$(level -O1)
compiler cc-quick -std=c99 $strict $quick || exit 1
compiler cc-O1 -std=c99 $strict -O1 || exit 1
export CC="$out/cc-quick"

# step NET ISAS IMAGES [OPTION...]: one step of a batch of 4, of which IMAGES are there, with a rate at
# which the change of a parameter is its gradient.
step() {
    net=$1 isas=$2 images=$3
    shift 3
    check "$net $isas $images" "$build/tests/train/steps" . 1e-5 1 "$images" compile $net.net \
        --train --batch 4 --init random:1 --exact --isa $isas "$@"
}

case $(uname -m) in
x86_64) wide=avx512 less=avx2 ;;
*) wide=neon less=neon ;;
esac
CC=$out/cc-O1
step conv $less 4
CC=$out/cc-quick
step wise $wide 3
step joins portable 3
step mse scalar 3 --loss mean_squared_error
step mse portable 4
step bytes scalar 3
step groups $wide 3
step norms $wide 3
step norms portable 1
step moves portable 3
[ -z "${RNC_TEST_FULL:-}" ] || for net in conv wise joins mse norms moves groups; do
    step $net $wide,$less,portable,scalar 2
done

# Winograd's method, for whose error there is another bound.
check 'fast methods' "$build/tests/train/steps" . 1e-4 1 4 compile wide.net --train --batch 4 \
    --init random:1 --isa $less

# Where it takes long to store transformed filters they are made in scratch.
far='--machine memory=1,streams=1,l3=1,l3-kb=16,l2-kb=2048'
check 'filters made in scratch' "$build/tests/train/steps" . 1e-4 1 3 compile wide.net --train --batch 4 \
    --init random:1 --isa $less $far
sed 's/16, 16/4, 4/' wide.net > small.net
check 'filters of small tiles made in scratch' "$build/tests/train/steps" . 1e-4 1 30 compile small.net \
    --train --batch 32 --init random:1 --isa $wide $far
check 'there are small tiles' sh -c '"$0" small.net --train --batch 32 '"$far"' -q -o small.c &&
    grep -q "define RNC_SMALL_TAPS" small.c' "$rnc"
"$rnc" wide.net --train --batch 4 $far --dump plan > far.plan
check 'there, no filters are stored' sh -c 'grep -q conv_winograd_panels far.plan &&
    ! grep -q filter_winograd far.plan'

# Of their gradients, too, what an input says of its numbers keeps them away.
fast() {
    sed "s/image\[.*/& ${1:-}/" wide.net > said.net
    "$rnc" said.net --train --batch 4 --dump plan | grep -c 'conv_grad_winograd'
}
check 'fast gradients' test "$(fast)" -gt 0
for said in 'range=0..1e6' 'specials=nan' 'specials=inf'; do
    check "gradients with $said" test "$(fast $said)" = 0
done

# Ten steps of each optimizer, from a file with only that training; fewer of them in make check.
trainings='2 4 6 7'
[ -z "${RNC_TEST_FULL:-}" ] || trainings=$(seq "$(grep -c '^train' optimizers.net)")
for k in $trainings; do
    awk -v k="$k" '/^train/ && ++i != k { next } { print }' optimizers.net > "optimizer$k.net"
    check "$(grep '^train' "optimizer$k.net" | cut -d' ' -f1,2)" "$build/tests/train/steps" . 1e-4 10 5 \
        compile "optimizer$k.net" --train --init random:1 --exact --isa portable
done

# Filters in panels.
for k in 1 2 3; do
    awk -v k="$k" '/^train/ && ++i != k { next } { print }' panels.net > "panels$k.net"
    check "panels, $(grep '^train' "panels$k.net" | cut -d' ' -f2)" "$build/tests/train/steps" . 1e-4 10 5 \
        compile "panels$k.net" --train --init random:1 --exact --isa portable
done

# Whole models.  With a smooth activation in place of relu and relu6, at whose kinks elements change
# sides by a rounding, gradients of deep networks can be compared, too (docs/training.md); by plain SGD,
# since Adam's first step takes only the sign of a gradient.
if [ -n "${RNC_TEST_FULL:-}" ]; then
    cp -r "$src/models" smooth
    sed -i 's/\brelu6*\b/silu/g' smooth/*.net smooth/lib/*.net smooth/tutorial/*.net
    for net in resnet20 resnet32 mobilenet_v2 densenet121 tutorial/resnet50-keras; do
        check "$net, smooth" "$build/tests/train/steps" . 1e-3 1 2 compile smooth/$net.net --train \
            --batch 2 --init random:1 --exact --isa $less
    done
fi

# What fits less memory computes some values again, and the same bits: in the C, and in the network,
# which is read back.  remembered NET ISA BYTES...: arenas must not grow.
state_of() {
    "$rnc" $1.net --train --batch 4 --isa $2 --memory $3 -q --name trained -o state.c &&
        "$CC" -DINFO=trained_info -I"$src/runtime" "$src/tests/train/state.c" state.c \
            "$build/librncrt.a" -o state -lm -lpthread && ./state > "state.$3" 2> "state.$3.err"
}
remembered() {
    net=$1 isa=$2 before=fastest
    shift 2
    check "$net with all memory" state_of $net $isa fastest
    for bytes in "$@" least; do
        check "$net in $bytes" state_of $net $isa $bytes
        check "$net in $bytes: the same state" cmp state.fastest state.$bytes
        check "$net in $bytes: a smaller arena" test \
            "$(sed 's/arena \([0-9]*\).*/\1/' state.$bytes.err)" -lt \
            "$(sed 's/arena \([0-9]*\).*/\1/' state.$before.err)"
        before=$bytes
    done
    gradients=$("$rnc" eval $net.net --train --batch 4 --init random:1 --random 1)
    "$rnc" $net.net --train --batch 4 --memory least --dump ir > again.ir
    check "$net again, as a network" sh -c 'grep -q "\.again = " again.ir &&
        [ "$("$0" eval again.ir --init random:1 --random 1)" = "$1" ]' "$rnc" "$gradients"
}
remembered joins portable
remembered wide $less
check 'too little memory' sh -c '! "$0" wide.net --train --batch 4 --memory 9kB -o no.c 2> no.err &&
    grep -q "needs at least" no.err && [ ! -e no.c ]' "$rnc"

# Numbers that are not finite, in training NUMBER of finite.net: finite NUMBER NORM GRADIENT.
finite() {
    awk -v k="$1" '/^train/ && ++i != k { next } { print }' finite.net > "finite$1.net"
    printf '%s\n' "norm: $2" 'nothing: finite, another state' 'conv1.weight: conv1 + relu1, the same state' \
        'body1.main.conv2.weight: body1.main.conv2 + add1, the same state' \
        'dense1.bias: dense1, the same state' 'input: image, the same state' \
        "gradient: conv1.weight.gradient, $3" > finite.expected
    check "step $1 of numbers that are not finite" sh -c '"$0" "finite$1.net" --train --isa portable -q \
        --name trained -o finite.c && "$2" -DINFO=trained_info -I"$3/runtime" \
        "$3/tests/train/finite.c" finite.c "$4" -o finite -lm -lpthread &&
        ./finite > finite.said && cmp finite.expected finite.said' "$rnc" "$1" "$CC" "$src" "$build/librncrt.a"
}
finite 1 'of the change' 'another state, spoiled'
finite 2 'of the change' 'another state, spoiled'
finite 3 another 'another state, spoiled'
finite 4 'of the change' 'the same state'

# A step that was cut.
"$rnc" mse.net --train --batch 2 --dump ir | sed '/^update/d' > cut.ir
check 'no updates' sh -c '! "$0" cut.ir -o cut.c 2> cut.err && grep -q "updates nothing" cut.err' "$rnc"

# The text itself by other compilers: each with one instruction set, in make check-full with all.
compiled() {
    set="--isa $4"
    [ -z "${RNC_TEST_FULL:-}" ] || set=
    have "${1%% *}" || return 0
    check "emit for $3" "$rnc" ${5:-conv}.net --train --batch 2 $set -q -o conv_train.c
    check "$3" $1 $2 $strict -I"$src/runtime" -c conv_train.c
}
[ -z "${RNC_TEST_FULL:-}" ] || compiled 'gcc -std=c99' -O1 gcc $less
compiled 'clang -std=c99' -O1 clang $wide # which takes four times as long with -O0
compiled 'g++ -x c++ -std=c++11' $quick C++ portable
compiled 'g++ -x c++ -std=c++11' $quick 'C++, fast methods' portable wide

# A network may be called what the macros of the calls are.
"$rnc" mse.net --train --batch 2 --isa scalar -q -o calls.c
names=$(sed -n '/---- the stages/,/^#undef/s/^#define \([A-Z_]*\).*/\1/p' calls.c | grep -v '^RNC_')
check 'macros of calls' test -n "$names"
for name in $names; do
    check "emit a network called $name" "$rnc" mse.net --train --batch 2 --isa scalar -q --name $name -o named.c
    check "a network called $name" "$CC" -I"$src/runtime" -fsyntax-only named.c
done

# sanitized COMPILER NET ISAS CHECKS: no step or evaluation leaves its memory or relies on undefined
# behaviour.  Of the two compilers only clang sees offsets from null pointers, and takes ten times as long.
sanitized() {
    have "$1" || return 0
    check "emit $2 to sanitize" "$rnc" $2.net --train --batch 4 --isa $3 -q -o sane.c
    check "build $2 with $1's sanitizers" $1 -O0 -std=c11 -fsanitize=$4 -fno-sanitize-recover=all \
        -DINFO=sane_info -I"$src/runtime" "$src/tests/train/sanitized.c" sane.c "$src"/runtime/*.c -o sane \
        -lm -lpthread
    check "$2 with $1's sanitizers" ./sane
}
sanitized gcc conv scalar address,undefined
sanitized clang bytes scalar undefined
[ -z "${RNC_TEST_FULL:-}" ] || for net in conv joins wide mse; do
    sanitized gcc $net portable address,undefined
    sanitized clang $net $less,scalar undefined
done
finish
