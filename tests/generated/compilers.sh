#!/bin/sh
# compilers.sh: the emitted C with each compiler that is here: no warnings as C99 and as C++, and
# a message where a network is for another machine alone.
. "$(dirname "$0")/lib.sh"

# Compiling takes the time: each compiler has one level; with RNC_TEST_FULL all.  clang takes four times
# as long with -O0 as with -O1: it inlines the kernels before it simplifies them.
levels_of() {
    case $1,${RNC_TEST_FULL:-} in
    gcc,) echo -O2 ;;
    clang,) echo -O1 ;;
    *) echo -O0 -O1 -O2 -O3 ;;
    esac
}

for net in $nets; do
    emit "$net" $net
done
for cc in gcc clang; do
    have $cc || { skip "no $cc to compile the emitted C"; continue; }
    for net in $nets; do
        for level in $(levels_of $cc); do
            check "$net, $cc $level" $cc -std=c99 $strict $level -I"$src/runtime" -c $net.c -o $net.o
        done
    done
done
for cxx in g++ clang++; do
    have $cxx || { skip "no $cxx to compile the emitted C as C++"; continue; }
    # clang++ makes its code as clang does: of one network, with RNC_TEST_FULL of all.
    for net in $nets; do
        case $cxx,$net,${RNC_TEST_FULL:-} in
        g++,*) level=-O0 ;;
        clang++,turns, | clang++,*,?*) level=-O1 ;;
        *) level=-fsyntax-only ;;
        esac
        check "$net, $cxx" $cxx -x c++ -std=c++11 $strict $level -I"$src/runtime" -c $net.c -o $net.o
    done
done

other=neon
[ "$(uname -m)" = aarch64 ] && other=avx2
check "foreign ISA" "$rnc" chain.net --isa $other -q
check "foreign ISA, refused" sh -c "${CC:-cc} -I'$src/runtime' -c chain.c -o chain.o 2>&1 | grep 'no instruction set was compiled in'"

finish
