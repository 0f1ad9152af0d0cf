#!/bin/sh
# golden.sh [--refresh] [FILE...]: compares what rnc prints with the files that
# lie beside its inputs.  The suffix selects the mode:
#
#   diag/NAME.net   + NAME.err      rnc must fail; its messages are compared
#   lower/NAME.net  + NAME.ir       rnc --dump ir
#                   + NAME.train    rnc --dump train, where there is such a file
#   pass/NAME.ir    + NAME.PASS.ir  rnc --passes PASS --dump ir
#   plan/NAME.net   + NAME.plan     rnc --dump plan
#   inspect/NAME.net + NAME.summary  rnc summary
#                    + NAME.json     rnc summary --format json
#                    + NAME.svg      rnc graph
#                    + NAME.dot      rnc graph --format dot
#   ../models/NAME.net + ../docs/NAME.svg, a picture of the manual: rnc graph
#
# A first line `# args: ...` of an input gives further options.  rnc runs in the
# input's folder, so that messages carry no path.  --refresh rewrites the
# expected files: read the difference before you commit it.  FILE picks goldens
# (by their expected file's path below tests/).
. "$(dirname "$0")/lib.sh"
refresh=no
[ "${1:-}" = --refresh ] && refresh=yes && shift

fail() {
    echo "FAIL $1: $2"
    failed=$((failed + 1))
}

# golden DIR INPUT EXPECTED STREAM WANTED_STATUS OPTION...
golden() {
    dir=$1 input=$2 expected=$3 stream=$4 wanted=$5
    shift 5
    label=$dir/$expected
    [ -n "$only" ] && case " $only " in
        *" $label "*) ;;
        *) return ;;
    esac
    args=$(sed -n '1s/^# args: *//p' "$src/tests/$dir/$input")
    got=$out/$(echo "$dir-$expected" | tr / _)
    # $args is a list of words on purpose.  No output lands in the source tree.
    (cd "$src/tests/$dir" && eval "exec \"\$rnc\" $command \"\$input\" -I \"\$src/models\" \"\$@\" $args") \
        > "$got.out" 2> "$got.err"
    status=$?
    if [ $wanted = fail ] && { [ $status -eq 0 ] || [ $status -ge 126 ]; }; then
        fail "$label" "rnc was to refuse it, and ended with status $status"
    elif [ $wanted = pass ] && [ $status -ne 0 ]; then
        fail "$label" "rnc ended with status $status"
        sed 's/^/    /' "$got.err"
    elif [ $refresh = yes ]; then
        cmp -s "$got.$stream" "$src/tests/$dir/$expected" || echo "refreshed $label"
        cp "$got.$stream" "$src/tests/$dir/$expected" && passed=$((passed + 1))
    elif [ ! -f "$src/tests/$dir/$expected" ]; then
        fail "$label" "there is no such file; golden.sh --refresh makes it"
    elif diff -u "$src/tests/$dir/$expected" "$got.$stream" > "$got.diff"; then
        passed=$((passed + 1))
        rm -f "$got".*
    else
        fail "$label" "what rnc prints differs (-: expected, +: printed)"
        sed -n '3,40s/^/    /p' "$got.diff"
    fi
}

only=$*
command='-o "$out/x.c"'
for path in "$src"/tests/diag/*.net; do
    [ -f "$path" ] || continue
    base=$(basename "$path" .net)
    golden diag "$base.net" "$base.err" err fail
done
for path in "$src"/tests/lower/*.net; do
    [ -f "$path" ] || continue
    base=$(basename "$path" .net)
    golden lower "$base.net" "$base.ir" out pass --dump ir
    [ ! -f "$src/tests/lower/$base.train" ] ||
        golden lower "$base.net" "$base.train" out pass --dump train
done
for path in "$src"/tests/pass/*.ir; do
    [ -f "$path" ] || continue
    expected=$(basename "$path")
    base=${expected%%.*} pass=${expected#*.}
    pass=${pass%ir} pass=${pass%.}
    [ -n "$pass" ] || continue
    golden pass "$base.ir" "$expected" out pass --passes "$pass" --dump ir
done
for path in "$src"/tests/plan/*.net; do
    [ -f "$path" ] || continue
    base=$(basename "$path" .net)
    golden plan "$base.net" "$base.plan" out pass --dump plan
done
for path in "$src"/tests/inspect/*.net; do
    [ -f "$path" ] || continue
    base=$(basename "$path" .net)
    command=summary
    golden inspect "$base.net" "$base.summary" out pass
    golden inspect "$base.net" "$base.json" out pass --format json
    command=graph
    golden inspect "$base.net" "$base.svg" out pass
    golden inspect "$base.net" "$base.dot" out pass --format dot
done
for path in "$src"/docs/*.svg; do
    base=$(basename "$path" .svg)
    command=graph
    golden ../models "$base.net" "../docs/$base.svg" out pass
done
finish && [ $passed -gt 0 ]
