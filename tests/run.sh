#!/bin/sh
# run.sh SUITE...: runs suites of tests, as many at once as there are processors, prints what
# each of them prints in the order given, and adds them up.
#
# A suite is a program or a script.  It prints what it likes, "skipped: REASON"
# (or "NAME: skipped: REASON") on a line of its own for each test that cannot run
# here, and as its last line "N passed, N failed".  A suite that ends without that line, with a non-zero
# status and no failed test, or with neither a test run nor one skipped, counts
# as one failure.  The last line here is the sum; the status is non-zero unless
# every test that could run passed, and at least one did.
#
# Suites write below RNC_TEST_OUT in folders of their own names, so that none meets another.
#
# The environment says where things are: RNC, RNC_SRCDIR, RNC_BUILDDIR (absolute),
# CC and RNC_TEST_CFLAGS for generated code, RNC_TEST_OUT to write to; RNC_MISSING is
# a reason why some suites are not among those given; RNC_TEST_JOBS how many run at once.
set -u

# The Nth suite's name for its files in the folder of logs.
label() { echo "$1-$(basename "$2" .sh)"; }

# run.sh --one N SUITE: one of them; its output is in N-NAME.log, at the end its status and its
# seconds in N-NAME.status.
if [ "${1:-}" = --one ]; then
    log=$RNC_TEST_LOGS/$(label "$2" "$3")
    began=$(date +%s)
    "$3" > "$log.log" 2>&1
    echo "$? $(($(date +%s) - began))" > "$log.tmp" && mv "$log.tmp" "$log.status"
    exit 0
fi

out=${RNC_TEST_OUT:-$PWD/tests-out}
RNC_TEST_OUT=$out
RNC_TEST_LOGS=$out/logs
export RNC_TEST_OUT RNC_TEST_LOGS
rm -rf "$RNC_TEST_LOGS"
mkdir -p "$RNC_TEST_LOGS" || exit 1
passed=0 failed=0 skipped=0
if [ -n "${RNC_MISSING:-}" ]; then
    echo "skipped: $RNC_MISSING"
    skipped=1
fi
i=0
for suite; do
    i=$((i + 1))
    printf '%s\n%s\n' "$i" "$suite"
done | tr '\n' '\0' | xargs -0 -r -P "${RNC_TEST_JOBS:-$(nproc 2> /dev/null || echo 1)}" -n 2 sh "$0" --one &
workers=$!
trap 'kill "$workers" 2> /dev/null; exit 1' HUP INT TERM
i=0
for suite; do
    i=$((i + 1))
    name=$(basename "$suite" .sh)
    log=$RNC_TEST_LOGS/$(label $i "$suite")
    echo "== $name"
    while [ ! -f "$log.status" ] && kill -0 "$workers" 2> /dev/null; do
        sleep 0.1
    done
    status=killed seconds=0
    [ ! -f "$log.status" ] || read -r status seconds < "$log.status"
    touch "$log.log"
    cat "$log.log"
    [ "$seconds" -lt 10 ] || echo "($seconds s)"
    skips=$(grep -c '^\([a-z_]*: \)\{0,1\}skipped: ' "$log.log")
    counts=$(tail -n 1 "$log.log" | sed -n 's/^\([0-9][0-9]*\) passed, \([0-9][0-9]*\) failed$/\1 \2/p')
    p=${counts% *} f=${counts#* }
    why=
    if [ -z "$counts" ]; then
        p=0 f=0 why="it ended without its count, status $status"
    elif [ "$status" != 0 ] && [ "$f" -eq 0 ]; then
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
wait "$workers"
[ "$passed" -gt 0 ] || { echo "FAIL: no test ran"; failed=$((failed + 1)); }
[ "$skipped" -eq 0 ] || echo "$skipped skipped"
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
