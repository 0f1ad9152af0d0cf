#!/bin/sh
# fastmath.sh: whatever flags a product is compiled with, the numbers are the same, or the
# compiler stops and says which flags are not allowed.
#
# For gcc and clang, in plain C and with the best instruction set of this machine, a network with every kind of
# kernel is compiled with each list of flags and run.  Its outputs must be the bits that
# -O2 alone gives.  gcc and plain C are tried with all lists, with RNC_TEST_FULL everything is, -O3 by
# clang and by gcc with the x87 too.
. "$(dirname "$0")/lib.sh"
rm -rf "$out"
mkdir -p "$out"
cd "$out" || exit 1

cat > flags.net << 'EON'
net flags(classes = 11) {
  input image[16, 15, 13]
  conv 3x3 32 ; bn ; silu
  conv 3x3 32 ; tanh
  conv 3x3 32 groups=32 ; gelu
  conv 1x1 64 ; hard_swish
  maxpool 2x2 stride=2
  avgpool global ; flatten ; dense classes
  softmax
  output scores
}
EON
cat > main.c << 'EOC'
#include "flags.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
static double arena[(FLAGS_ARENA_BYTES + 128) / sizeof(double)];
int main(void)
{
    static float image[FLAGS_IMAGE_ELEMENTS];
    float scores[FLAGS_SCORES_ELEMENTS];
    unsigned bits;
    rnc_weights w;
    flags n;
    size_t at = ((size_t)arena + 63) / 64 * 64;
    int i;
    for (i = 0; i < FLAGS_IMAGE_ELEMENTS; i++)
        image[i] = (float)(i % 97) / 16.0f - 3.0f;
    if (rnc_weights_open(&w, "flags.weights") ||
        flags_init(&n, &w, (void *)at, FLAGS_ARENA_BYTES, NULL))
        return 1;
    flags_run(&n, image, scores);
    for (i = 0; i < FLAGS_SCORES_ELEMENTS; i++) {
        memcpy(&bits, &scores[i], 4);
        printf("%u\n", bits);
    }
    return 0;
}
EOC

# most: by how many units of the last place `got` and $1 differ at most
most() {
    paste got "$1" | awk 'function abs(x) { return x < 0 ? -x : x }
        { d = abs($1 - $2); if (d > m || NF != 2) m = NF == 2 ? d : 1e9 } END { print m + 0 }'
}

# same ISA COMPILER FLAGS.  clang has no word by which a file could refuse that divisions become
# multiplications, until 18; they are a few units of the last place off.
same() {
    rm -f program
    if ! $2 -O2 -w -I. -I"$src/runtime" $3 main.c flags.c "$build/librncrt.a" -lm -lpthread -o program > log 2>&1; then
        # Only flags that change numbers may be refused.
        case "$2 $3" in
        *-ffast-math* | *-Ofast* | *-ffinite-math-only* | gcc*-funsafe* | gcc*-fassociative* | \
            gcc*-freciprocal* | gcc*-fno-signed-zeros*) may=yes ;;
        *) may=no ;;
        esac
        if [ $may = yes ] && grep -q 'error.*flags.*compile this file with' log; then
            passed=$((passed + 1))
        else
            echo "FAIL $2 $3, $1: does not compile"
            sed 's/^/    /' log | head -n 5
            failed=$((failed + 1))
        fi
        return
    fi
    ./program > got
    allowed=0
    case "$2 $3" in *clang*unsafe* | *clang*reciprocal*) allowed=8 ;; esac
    if [ -s got ] && [ "$(most "wanted.$1")" -le $allowed ]; then
        passed=$((passed + 1))
    else
        echo "FAIL $2 $3, $1: other numbers than with -O2"
        paste got "wanted.$1" | head -n 3 | sed 's/^/    /'
        failed=$((failed + 1))
    fi
}

all="-ffast-math|-Ofast|-funsafe-math-optimizations|-fassociative-math -fno-signed-zeros -fno-trapping-math"
all="$all|-freciprocal-math|-ffinite-math-only|-fno-signed-zeros|-fno-trapping-math|-fno-math-errno|-O3|-O1 -std=c99"
some="-ffast-math|-Ofast|-funsafe-math-optimizations|-O3"
few="-ffast-math|-Ofast|-funsafe-math-optimizations"
best=$(sed -n 's/^flags.*\(avx512f\|avx2\).*/\1/p' /proc/cpuinfo 2> /dev/null | head -n 1)
case $best in avx512f) isas='scalar avx512' ;; avx2) isas='scalar avx2' ;; *) isas='scalar portable' ;; esac
[ -z "${RNC_TEST_FULL:-}" ] || isas="$isas portable"
for isa in $isas; do
    "$rnc" flags.net --init random:1 --isa $isa -q -o flags.c || exit 1
    for cc in gcc clang; do
        # clang and vectors together wait for check-full
        [ $cc = gcc ] || [ $isa = scalar ] || [ -n "${RNC_TEST_FULL:-}" ] || continue
        [ $cc = gcc ] && flags=$some || flags=$few
        { [ $isa$cc != scalargcc ] && [ -z "${RNC_TEST_FULL:-}" ]; } || flags=$all
        if ! command -v $cc > /dev/null 2>&1; then
            echo "skipped: no $cc"
            continue
        fi
        # Without contraction, which flags may change (-std=c99 has none): the numbers to compare with.
        if ! $cc -O2 -w -ffp-contract=off -I. -I"$src/runtime" main.c flags.c "$build/librncrt.a" -lm -lpthread -o program > log 2>&1 ||
            ! ./program > "wanted.$isa"; then
            echo "FAIL $cc, $isa: does not work without flags"
            failed=$((failed + 1))
            continue
        fi
        while IFS= read -r list; do
            same $isa $cc "$list -ffp-contract=off"
        done << EOL
$(printf '%s' "$flags" | tr '|' '\n')
EOL
    done
done

# x87, whose registers have more bits than a float: plain C gives the same numbers but for the last
# bits, whatever is said of excess precision; vectors are refused.
x87() {
    rm -f program got
    if "$@" -w -I. main32.c flags.c -lm -o program > log 2>&1 && ./program > got &&
        [ "$(most wanted.32)" -le 16 ]; then
        passed=$((passed + 1))
    else
        echo "FAIL $*: other numbers, by $(most wanted.32) units of the last place"
        head -n 5 log | sed 's/^/    /'
        failed=$((failed + 1))
    fi
}

sed 's/rnc_weights_open(&w, "flags.weights")/rnc_weights_memory(\&w, flags_weights, FLAGS_WEIGHTS_BYTES)/' main.c > main32.c
if echo 'int main(void) { return 0; }' > small.c && gcc -m32 small.c -o small > /dev/null 2>&1; then
    "$rnc" flags.net --init random:1 --isa scalar,portable -q --single-file --embed array -o flags.c
    gcc -m32 -mfpmath=387 -std=c99 -O2 -c flags.c -o flags.o > log 2>&1
    if grep -q 'needs floats rounded' log; then passed=$((passed + 1)); else echo 'FAIL x87, vectors'; failed=$((failed + 1)); fi
    "$rnc" flags.net --init random:1 --isa scalar -q --single-file --embed array -o flags.c
    gcc -O2 -w -ffp-contract=off -I. main32.c flags.c -lm -o program && ./program > wanted.32
    for list in '-std=c99 -O2' '-O2' ${RNC_TEST_FULL:+-O3} '-O0' '-mno-sse -O2'; do
        x87 gcc -m32 -mfpmath=387 $list
    done
    if command -v clang > /dev/null 2>&1; then x87 clang -m32 -mno-sse -O2; fi
else
    echo 'skipped: gcc makes no 32-bit programs here'
fi
finish
