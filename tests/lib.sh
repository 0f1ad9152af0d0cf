# lib.sh: what a suite begins with: `. "$(dirname "$0")/lib.sh"`.  Sets src, build and rnc, as
# make check gives them or else as they are from a build folder; out, a folder of the suite's
# own, which is there; passed and failed, which `finish` prints as the suite's last line.
set -u
src=${RNC_SRCDIR:-$(cd "$(dirname "$0")" && until [ -f configure.ac ] || [ "$PWD" = / ]; do cd ..; done && pwd)}
build=${RNC_BUILDDIR:-$PWD}
rnc=${RNC:-$build/rnc}
case $rnc in
/*) ;;
*) rnc=$PWD/$rnc ;;
esac
out=${RNC_TEST_OUT:-$PWD/tests-out}/$(basename "$0" .sh)
mkdir -p "$out" || exit 1
out=$(cd "$out" && pwd)
passed=0 failed=0

# The instruction sets of this CPU, the best first, a line each.
isas() {
    ${CC:-cc} -I"$src/runtime" "$src/tests/isas.c" "$build/librncrt.a" ${RNC_TEST_CFLAGS:-} -pthread -o "$out/isas" &&
        "$out/isas"
}

# check LABEL COMMAND...: passes when the command does; shows its output if not.
check() {
    label=$1
    shift
    if "$@" > check.log 2>&1; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        echo "FAIL $label: $*"
        head -n 20 check.log | sed 's/^/    /'
    fi
}

# level LEVEL: -O0 in make check, where what programs compute does not depend on the level and compiling
# takes the time; LEVEL with RNC_TEST_FULL.
level() {
    if [ -z "${RNC_TEST_FULL:-}" ]; then echo -O0; else echo "$1"; fi
}

# compiler NAME FLAG...: makes $out/NAME, which is $CC with these flags after all others, for programs
# that call $CC with flags of their own.
compiler() {
    name=$1
    shift
    printf '#!/bin/sh\nexec %s "$@" %s\n' "${CC:-cc}" "$*" > "$out/$name" && chmod +x "$out/$name"
}

# built_by COMPILER COMMAND...: with another $CC
built_by() {
    kept=${CC:-cc} CC=$1
    shift
    export CC
    "$@"
    ended=$?
    CC=$kept
    return $ended
}

# skip REASON: a test that cannot run here
skip() { echo "skipped: $*"; }

have() { command -v "$1" > /dev/null 2>&1; }

finish() {
    echo "$passed passed, $failed failed"
    [ "$failed" -eq 0 ]
}
