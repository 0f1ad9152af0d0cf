#!/bin/sh
# runner.sh: run.sh itself: what it counts as a failure, what it adds up, and that suites which
# run at once are printed one after another.
set -u
unset RNC_MISSING
run=${RNC_SRCDIR:-$(cd "$(dirname "$0")/.." && pwd)}/tests/run.sh
out=${RNC_TEST_OUT:-$PWD/tests-out}/runner
rm -rf "$out"
mkdir -p "$out" || exit 1
passed=0 failed=0

# suite NAME LINE...: a suite made of these lines of shell.
suite() {
    name=$1
    shift
    { echo '#!/bin/sh'; printf '%s\n' "$@"; } > "$out/$name"
    chmod +x "$out/$name"
}

# expect STATUS LAST-LINE SUITE...: what run.sh must make of these suites.
expect() {
    wanted=$1 last=$2
    shift 2
    (cd "$out" && RNC_TEST_OUT=$out/inner sh "$run" "$@") > "$out/got" 2>&1
    status=$?
    if [ "$status" -eq "$wanted" ] && [ "$(tail -n 1 "$out/got")" = "$last" ]; then
        passed=$((passed + 1))
    else
        echo "FAIL run.sh $*: status $status and '$(tail -n 1 "$out/got")', not $wanted and '$last'"
        failed=$((failed + 1))
    fi
}

suite good 'echo "3 passed, 0 failed"'
suite bad 'echo "2 passed, 1 failed"' 'exit 1'
suite lies 'echo "2 passed, 0 failed"' 'exit 1'
suite crashes 'kill -SEGV $$'
suite silent 'exit 0'
suite empty 'echo "0 passed, 0 failed"'
suite skips 'echo "skipped: no such thing here"' 'echo "0 passed, 0 failed"'

suite slow 'echo begin; sleep 0.5; echo end' 'echo "1 passed, 0 failed"'
suite waits 'n=0; while [ ! -f met ] && [ $n -lt 100 ]; do sleep 0.1; n=$((n + 1)); done' \
    '[ -f met ] || exit 1' 'echo "1 passed, 0 failed"'
suite meets 'touch met' 'echo "1 passed, 0 failed"'

expect 0 '3 passed, 0 failed' ./good
expect 0 '6 passed, 0 failed' ./good ./good
expect 1 '5 passed, 1 failed' ./good ./bad
expect 1 '5 passed, 1 failed' ./good ./lies
expect 1 '3 passed, 1 failed' ./good ./crashes
expect 1 '3 passed, 1 failed' ./good ./silent
expect 1 '3 passed, 1 failed' ./good ./empty
expect 1 '3 passed, 1 failed' ./good ./not-there
expect 0 '3 passed, 0 failed' ./good ./skips
expect 1 '0 passed, 1 failed' ./skips
expect 1 '0 passed, 1 failed'
expect 0 '8 passed, 0 failed' ./slow ./good ./slow ./good
if [ "$(grep -v '^[0-9]* passed' "$out/got" | paste -s -d ' ')" = \
    '== slow begin end == good == slow begin end == good' ]; then
    passed=$((passed + 1))
else
    echo "FAIL run.sh: not in order:"
    cat "$out/got"
    failed=$((failed + 1))
fi
RNC_TEST_JOBS=2
export RNC_TEST_JOBS
expect 0 '2 passed, 0 failed' ./waits ./meets

echo "$passed passed, $failed failed"
[ $failed -eq 0 ]
