#!/bin/sh
# running.sh: the emitted C in every way a caller may run it (drive.c): engines in two threads,
# pools, any instruction set, memory with guards around it; no allocation; under the
# sanitizers.
. "$(dirname "$0")/lib.sh"

for file in "$src"/runtime/*.c; do
    check "runtime, $file" ${CC:-cc} -g $safe -c "$file" -o "safe-$(basename "$file" .c).o"
done
for net in $nets; do
    emit "$net" $net
    count=-DCOUNT_MALLOC
    case ${RNC_TEST_CFLAGS:-} in
    *sanitize*) count= ;;
    esac
    drive "$net, run" $net -O2 $count ${RNC_TEST_CFLAGS:-} "$rt"
    # Without -O every access is there to be looked at; with RNC_TEST_FULL also what -O1 leaves.
    for level in -O0 ${RNC_TEST_FULL:+-O1}; do
        drive "$net, run with ASan and UBSan, $level" $net $level $safe safe-*.o
    done
done
# Each band of a layer, and infinities and NaN in them.
for inputs in random specials; do
    check "bands, verified with $inputs" "$rnc" verify bands.net --init random:1 --isa $(isas_of bands) \
        $(options_of bands) --inputs $inputs
done

# An inference in less memory, and in no less than there is.
inference() {
    "$rnc" bands.net --init he:1 --isa scalar --threads 1 --memory "$1" -q --name "$2" -o "$2.c"
}
for memory in fastest least; do
    check "bands, --memory $memory" inference $memory $memory
    eval "$memory=\$(sed -n 's/^#define [A-Z]*_ARENA_BYTES //p' $memory.h)"
done
"$rnc" bands.net --init he:1 $(options_of bands) --report text -o said.c > said.report 2> said.err
check "bands, as the report says" grep -q '^            conv1 to body.main.conv3 in 13,$' said.report
check "bands, less memory" [ "$least" -lt $((fastest / 2)) ]
drive "bands, least" least -O1 "$rt"
check "bands, in what there is" inference "$least" fits
check "bands, in what there is, exactly" grep -qx "#define FITS_ARENA_BYTES $least" fits.h
inference 10kB no 2> no.err
check "bands, too little memory" [ $? -eq 1 ]
check "bands, how much is needed" \
    grep -q 'an inference needs at least .* KB, and --memory allows 10.0 KB' no.err
check "bands, nothing written" [ ! -e no.c ]
check "bands, least, verified" "$rnc" verify bands.net --init random:1 --isa $(isas_of bands) --threads 1 --memory least
if [ -z "${RNC_TEST_FULL:-}" ]; then
    skip "valgrind looks on in make check-full"
elif have valgrind; then
    drive "chain, built for valgrind" chain -O1 "$rt"
    check "chain, valgrind" valgrind -q --error-exitcode=9 ./drive-chain chain.weights
else
    skip "no valgrind"
fi

finish
