# lib.sh: what a suite begins with: `. "$(dirname "$0")/lib.sh"`.  Sets src, build and rnc, as
# make check gives them or else as they are from a build folder; out, a folder of the suite's
# own, which is there; passed and failed, which `finish` prints as the suite's last line.
set -u
src=${RNC_SRCDIR:-$(cd "$(dirname "$0")/.." && pwd)}
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

finish() {
    echo "$passed passed, $failed failed"
    [ "$failed" -eq 0 ]
}
