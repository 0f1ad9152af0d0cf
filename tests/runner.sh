#!/bin/sh
# runner.sh: run.sh itself: what it counts as a failure, and what it adds up.
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

echo "$passed passed, $failed failed"
[ $failed -eq 0 ]
