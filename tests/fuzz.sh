#!/bin/sh
# fuzz.sh: the fuzzers' entry points fed their seeds (tests/fuzz/seeds.sh), whole, cut
# and changed.  `make fuzz` looks for more.
set -u
out=$RNC_TEST_OUT/fuzz
passed=0 failed=0
mkdir -p "$out"
if ! sh "$RNC_SRCDIR/tests/fuzz/seeds.sh" "$out/seeds" > "$out/log" 2>&1; then
    echo "FAIL the seeds could not be made"
    tail "$out/log"
    echo "0 passed, 1 failed"
    exit 1
fi
for kind in net train ir onnx tensors tuning weights data keras; do
    # A crash leaves the input that it was in as the last line.
    "$RNC_BUILDDIR/tests/fuzz/$kind" "$out/seeds/$kind"/* > "$out/log" 2>&1
    status=$?
    counts=$(tail -n 1 "$out/log" | sed -n 's/^\([0-9]*\) passed, \([0-9]*\) failed$/\1 \2/p')
    if [ $status -eq 0 ] && [ -n "$counts" ]; then
        passed=$((passed + ${counts% *}))
    else
        echo "FAIL fuzz/$kind: status $status"
        tail -n 20 "$out/log" | sed 's/^/    /'
        failed=$((failed + 1))
    fi
done
echo "$passed passed, $failed failed"
[ $failed -eq 0 ]
