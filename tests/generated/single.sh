#!/bin/sh
# single.sh: a network in one file, which needs no C library but memory and math functions, and
# two networks in one program, as single files and with librncrt.
. "$(dirname "$0")/lib.sh"

# The bits depend on whether a compiler contracts: the same level for both.
for net in ${RNC_TEST_FULL:+chain} blocks; do
    emit "$net" $net
    drive "$net, run" $net -O0 ${RNC_TEST_CFLAGS:-} "$rt"
    cp $net.sum plain.sum
    emit "$net, single file" $net --single-file --embed array
    for cc in gcc clang; do
        have $cc || { skip "no $cc to compile a single file"; continue; }
        check "$net, single file, $cc" $cc -std=c99 $strict -O2 -ffreestanding -c $net.c -o $net.o
        check "$net, single file, needs only memory and math functions, $cc" sh -c "
            ! nm -u $net.o | grep -vwE 'memcpy|memset|memmove|memcmp|fabsf|_GLOBAL_OFFSET_TABLE_'"
    done
    for cxx in g++ clang++; do
        have $cxx || { skip "no $cxx to compile a single file as C++"; continue; }
        # clang takes longer without -O than with -O1 (compilers.sh).
        [ $cxx = clang++ ] && level=-O1 || level=-O0
        check "$net, single file, $cxx" $cxx -x c++ -std=c++11 $strict $level -c $net.c -o $net.o
    done
    upper=$(echo $net | tr a-z A-Z)
    drive "$net, single file, run" $net -O0 -DSINGLE_FILE -DEMBEDDED=${net}_weights \
        -DEMBEDDED_BYTES=${upper}_WEIGHTS_BYTES ${RNC_TEST_CFLAGS:-}
    check "$net, single file, same result" cmp plain.sum $net.sum
done

# ---- two networks in one program ----

cat > two.c << 'EOF'
#include "chain.h"
#include "blocks.h"
#include <stdio.h>
int main(void)
{
    printf("%s %s %s\n", chain_info.name, blocks_info.name, chain_probabilities_label(1));
    return chain_probabilities_label(7) || chain_probabilities_label(-1) ||
           chain_info.init == blocks_info.init;
}
EOF
for net in chain blocks; do
    check "$net, single file" "$rnc" $net.net --init he:1 --isa scalar -q --single-file
    check "$net, single file, compiled" ${CC:-cc} -O0 -I. -c $net.c -o $net.o
done
check "two, single files" ${CC:-cc} -std=c99 $strict -I. two.c chain.o blocks.o -lm -o two
check "two, single files, run" sh -c './two | grep -Fx "chain blocks dog \"big\""'
for net in chain blocks; do
    check "$net again" "$rnc" $net.net --init he:1 --isa scalar -q
done
check "two, with librncrt" ${CC:-cc} -std=c99 $strict -I. -I"$src/runtime" two.c chain.c blocks.c \
    ${RNC_TEST_CFLAGS:-} "$rt" -lm -pthread -o two
check "two, with librncrt, run" ./two

finish
