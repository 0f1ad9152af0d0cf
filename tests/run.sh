#!/bin/sh
# run.sh SUITE...: runs the suites of tests one after another and adds them up.
#
# A suite is a program or a script.  It prints what it likes, "skipped: REASON"
# (or "NAME: skipped: REASON") on a line of its own for each test that cannot run
# here, and as its last line "N passed, N failed".  A suite that ends without that line, with a non-zero
# status and no failed test, or with neither a test run nor one skipped, counts
# as one failure.  The last line here is the sum; the status is non-zero unless
# every test that could run passed, and at least one did.
#
# The environment says where things are: RNC, RNC_SRCDIR, RNC_BUILDDIR (absolute),
# CC and RNC_TEST_CFLAGS for generated code, RNC_TEST_OUT to write to; RNC_MISSING is
# a reason why some suites are not among those given.
set -u
out=${RNC_TEST_OUT:-$PWD/tests-out}
mkdir -p "$out" || exit 1
RNC_TEST_OUT=$out
export RNC_TEST_OUT
passed=0 failed=0 skipped=0
if [ -n "${RNC_MISSING:-}" ]; then
    echo "skipped: $RNC_MISSING"
    skipped=1
fi
for suite; do
    name=$(basename "$suite" | sed 's/\.sh$//')
    log=$out/$name.log
    echo "== $name"
    { "$suite" 2>&1; echo "status $?" > "$log.status"; } | tee "$log"
    read -r _ status < "$log.status"
    rm -f "$log.status"
    skips=$(grep -c '^\([a-z_]*: \)\{0,1\}skipped: ' "$log")
    counts=$(tail -n 1 "$log" | sed -n 's/^\([0-9][0-9]*\) passed, \([0-9][0-9]*\) failed$/\1 \2/p')
    p=${counts% *} f=${counts#* }
    why=
    if [ -z "$counts" ]; then
        p=0 f=0 why="it ended without its count, status $status"
    elif [ "$status" -ne 0 ] && [ "$f" -eq 0 ]; then
        why="it counted no failure, but its status is $status"
    elif [ "$p" -eq 0 ] && [ "$f" -eq 0 ] && [ "$skips" -eq 0 ]; then
        why="it ran no test"
    fi
    if [ -n "$why" ]; then
        echo "FAIL $name: $why"
        f=$((f + 1))
    fi
    passed=$((passed + p)) failed=$((failed + f)) skipped=$((skipped + skips))
done
[ "$passed" -gt 0 ] || { echo "FAIL: no test ran"; failed=$((failed + 1)); }
[ "$skipped" -eq 0 ] || echo "$skipped skipped"
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
