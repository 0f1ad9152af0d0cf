#!/bin/sh
# special.sh: infinities, NaNs and denormal numbers through every operator, on every instruction
# set of this machine (in make check-full also on ARM's, in an emulator): the emitted C gives what the interpreter gives.
# Denormal numbers count as zeros while a step runs: the interpreter gets zeros for them.
. "$(dirname "$0")/lib.sh"
cp "$src/tests/generated/special.c" drive-special.c
weights='--init random:1'
# Optimized code takes 25 times as long to make: in make check plain C alone, whose comparisons a compiler
# may turn into others, and without the convolutions; in make check-full all of it for every instruction set.
level=$(level -O1)
[ -z "${RNC_TEST_FULL:-}" ] && most='/; tap c_/d' || most=''
flags='-DSINGLE_FILE -I. -DEMBEDDED=special_weights -DEMBEDDED_BYTES=SPECIAL_WEIGHTS_BYTES
    -DNET_INFO=special_info -DNET_HEADER="special.h"'

# wanted KIND: what the interpreter gives for the inputs of that kind, in wanted-KIND/.
wanted() {
    check "special, $1, interpreted" "$rnc" eval special.net $weights --float -q \
        --input image=$1.image.npy --input vector=$1.vector.npy --output-dir wanted-$1
}

# tried PROGRAM...: on all kinds of inputs
tried() {
    for kind in nan up down all; do
        check "special, $kind, $1" "$@" check $kind wanted-$kind
    done
    check "special, denormal, $1" "$@" check denormal wanted-flushed
    check "special, denormal, other numbers where they are kept, $1" sh -c \
        '! "$@" check denormal wanted-denormal > kept && grep -q "a_normalize.* is 0, not" kept' sh "$@"
}

check "special" "$rnc" special.net $weights --isa all --exact -q --single-file --embed array
check "special, built" ${CC:-cc} -std=gnu11 $level $strict $flags drive-special.c special.c -o special -lm
sed "$most" special.net > plain.net
check "special, plain C" "$rnc" plain.net $weights --isa scalar --exact -q --single-file --embed array -o plain.c
check "special, plain C, built" ${CC:-cc} -std=gnu11 -O1 $strict $(echo $flags | sed 's/special/plain/g; s/SPECIAL/PLAIN/g') \
    drive-special.c plain.c -o special-plain -lm
for kind in nan up down all denormal flushed; do
    check "special, $kind" ./special make $kind
    wanted $kind
done
case $(uname -m) in
x86_64 | aarch64)
    tried ./special
    tried ./special-plain
    ;;
*) skip "denormal numbers stay on this machine" ;;
esac
if [ -z "${RNC_TEST_FULL:-}" ]; then
    skip 'special numbers on ARM are in make check-full'
elif have aarch64-linux-gnu-gcc && have qemu-aarch64; then
    check "special for ARM" aarch64-linux-gnu-gcc -std=gnu11 $level $flags drive-special.c special.c \
        -static -o special-arm -lm
    tried qemu-aarch64 ./special-arm
else
    skip "no aarch64-linux-gnu-gcc and qemu-aarch64 to run NEON code"
fi
finish
