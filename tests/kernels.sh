#!/bin/sh
# kernels.sh: kernels/kernel_tests: every kernel, by every instruction set of this CPU, in 150 random
# shapes, and every 20,011th float through the activations.  With RNC_TEST_FULL set there are 10,000
# shapes, the same ones each time, every 101st float, and sums of up to 4 million numbers; a process
# for each processor does its share of the tests.
. "$(dirname "$0")/lib.sh"
tests=$build/tests/kernels/kernel_tests
[ -n "${RNC_TEST_FULL:-}" ] || exec "$tests" --cases 150
shares=$(nproc 2> /dev/null || echo 1)
rm -f "$out"/share*
i=0
while [ $i -lt "$shares" ]; do
    i=$((i + 1))
    { "$tests" --cases 10000 --share $i/"$shares" 2>&1; echo "status $?"; } > "$out/share$i" &
done
wait
i=0
while [ $i -lt "$shares" ]; do
    i=$((i + 1))
    # Each share says which instruction sets this CPU does not have.
    sed -e '/^[0-9]* passed, [0-9]* failed$/d; /^status [01]$/d' -e "$([ $i -eq 1 ] || echo '/: skipped: /d')" "$out/share$i"
    counts=$(sed -n 's/^\([0-9]*\) passed, \([0-9]*\) failed$/\1 \2/p' "$out/share$i")
    case $(tail -n 1 "$out/share$i") in
    'status '[01]) ;;
    *) counts='' ;;
    esac
    [ -n "$counts" ] || echo "FAIL share $i of $shares does not end"
    counts=${counts:-0 1}
    passed=$((passed + ${counts% *}))
    failed=$((failed + ${counts#* }))
done
finish
