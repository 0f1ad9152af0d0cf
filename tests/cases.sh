#!/bin/sh
# cases.sh: faults that people reported of programs like rnc, reproduced on it: which of them give
# the right value now.  They are in a folder beside the checkout, ../shared/cases
# (RNC_SHARED_CASES: another place), one folder each with inputs, a script run.sh and what is
# expected in its README.md; "skipped" where that is absent.
#
#     tests/cases.sh [NAME...]        from the build folder; NAME: 04, or more of a folder's name
#
# Not a suite of make check: a case that is mended gets a test of our own where its
# subject is tested.  `right` below says what each of them must print.
. "$(dirname "$0")/lib.sh"
cases=${RNC_SHARED_CASES:-$src/../shared/cases}
if [ ! -d "$cases" ]; then
    echo "skipped: no ../shared/cases"
    finish
    exit
fi
export RNC="$rnc" RNC_SRC="$src" RNC_LIB="$build/librncrt.a"

# ---- what is right: functions that look at `case.log`, what the case's run.sh printed ----

has() { grep -q -e "$1" case.log; }
lacks() { ! has "$1"; }
# prints LIST: the numbers
prints() { grep -qxF -- "$1" case.log; }
manual_says() { grep -rqi -e "$1" "$src/docs" "$src/README.md"; }

right() {
    case $1 in
    01-*) prints '[-6.0, -15.0]' || has "error: .*'conv1.weight'" ;;
    02-*) # the neighbours of an outlier stay right, or the manual says how far it reaches
        awk '/largest difference/ { n++; sub(/.*largest difference /, ""); if ($1 + 0 > 1e-5 || $2 != "0") bad = 1 }
            END { exit bad || n != 4 }' case.log ||
            manual_says 'outlier' ;;
    04-*) [ "$(grep -c 'should be' case.log)" -eq 2 ] && awk '/should be/ { if ($1 + 0 < 0.1029999 || $1 + 0 > 0.1030001) bad = 1 } END { exit bad }' case.log ;;
    05-*) prints '[6.0, 15.0]' ;;
    10-*) prints '[10.0, 28.0]' ;; # its README has 13: 3 * (2 * (4 - 2) + 1 - 2) + 1 is 10
    12-*) prints '[3.0, 6.0]' || has "'bn1\\.0'" ;;
    14-*) prints '[10.0, 11.0]' ;;
    16-*) awk '/^normal:/ { a = $2 } /^denormal:/ { b = $2 } END { exit !(a > 0 && b > 0 && b < 5 * a) }' case.log || manual_says 'denormal\|subnormal' ;;
    18-*) [ ! -s case.log ] ;;
    21-*) has '^y \[1\]\[1\] ' && has 'compiles without weights' && lacks 'error' ;;
    23-*) # twice and three times each input
        awk '{ v[$1] = $3; w[$1] = $4; x[$1] = $5; y[$1] = $6 }
            function near(a, b) { return a - b < 1e-6 && b - a < 1e-6 }
            END { l = v["left"]; r = v["right"]
                  exit !(l != r && near(v["y"], 2 * l) && near(w["y"], 3 * l) && near(x["y"], 2 * r) && near(y["y"], 3 * r)) }' case.log ;;
    24-*) lacks "did you mean 'relu'" ;;
    27-*) prints '[1.55556, 3.33333, 2.0, 6.33333, 11.0, 6.0, 4.5, 7.5, 4.0]' ;;
    28-*) has 'leave it out\|nothing at inference\|does nothing' && has 'groups' ;;
    30-*) lacks error || has 'note: .*shape' ;;
    32-*) lacks error || has '\--strip' ;;
    33-* | 34-* | 35-*) lacks error && [ "$status" -eq 0 ] ;;
    40-*) # every mode the same numbers, or no program
        [ "$(grep -c '^0.622459' case.log)" -ge 1 ] && [ "$(grep '^0\.[0-9]* [-0-9.e]* ' case.log | grep -c '^0\.5 0\.5 0\.8')" -eq 0 ] ;;
    41-*) [ "$(grep -c '^signal' case.log)" -eq 6 ] && ! grep '^signal' case.log | grep 'old.*new\|new.*old\|temporaries: [1-9]' ;;
    42-*) awk -F '\t' 'NF < 4 { next } { n++; if ($2 ~ /signal/ || $3 + 0 > 10 || $4 + 0 > 1500) print "slow: " $0 > "slow" } END { exit n < 40 }' case.log && [ ! -s slow ] ;;
    43-*) lacks 'Error\|error' ;;
    44-*) [ "$(grep '^z ' case.log | sort -u | wc -l)" -eq 1 ] ;;
    45-*) has '^precious' ;;
    46-*) lacks 'Error' && lacks '\^\[' ;;
    47-*) has '^status 1' ;;
    48-*) [ ! -s case.log ] ;;
    49-*) [ "$status" -le 1 ] && [ "$(grep -c ': error: ' case.log)" -ge 1 ] ;;
    *)
        echo "there is no row for it in tests/cases.sh"
        return 1
        ;;
    esac
}

# How it is run, where its run.sh takes arguments or there is none.
run_case() {
    case $1 in
    02-*)
        python3 -c 'import numpy, safetensors' 2> /dev/null || return 77
        for spike in 1e3 1e6 3e38 nan; do sh run.sh $spike || return 1; done
        ;;
    14-*) # with a naming that says which half of the layer each convolution is
        sed 's/"dw" -> "sep"/&\n  conv.weight "pw" -> "sep.pointwise_kernel" hwio/' m.net > said.net && mv said.net m.net
        sh run.sh
        ;;
    21-*) # the language asks for the stride of a window now
        sed 's/maxpool 2x2$/& stride=2/' m.net > said.net && mv said.net m.net
        sh run.sh
        ;;
    23-*) # a layer that is called twice has `again` now; a naming gives each layer names of its own
        cat > m.net << 'N'
naming shared {
  "tower" -> "tower.conv1"
}
net m {
  use naming shared
  input left[1, 1, 1]
  input right[1, 1, 1]
  from left  ; tower: conv 1x1 2
  from right ; other: again tower
  concat tower other
  output y
}
N
        "$rnc" eval m.net -w tower.safetensors --random 1 --tensor left --tensor right -q
        ;;
    33-*) "$rnc" tiny.net -w model.weights.h5 -o t.c ;;
    34-*) "$rnc" tiny.net -w nested.weights.h5 -o t.c ;;
    35-*) "$rnc" numbering.net --init he:1 -o n.c ;;
    40-* | 43-* | 48-*) sh run.sh "$rnc" "$src/runtime" ;;
    41-*) sh run.sh "$rnc" "$src" ;;
    42-*) python3 make.py && rm -f results.txt && python3 run.py ;;
    44-* | 45-* | 46-* | 47-*) sh run.sh "$rnc" ;;
    49-*)
        python3 make.py || return
        for file in message equal; do
            "$rnc" $file.net --init he:1 -q
            worst=$?
            [ $worst -le 1 ] || return $worst
        done
        ;;
    *) sh run.sh ;;
    esac
}

for folder in "$cases"/[0-9]*; do
    name=$(basename "$folder")
    wanted=$#
    for word; do
        case $name in *"$word"*) wanted=0 ;; esac
    done
    [ "$wanted" -eq 0 ] || continue
    case $name in
    42-*) [ -n "${RNC_TEST_FULL:-}$*" ] || { echo "skipped: $name takes minutes (RNC_TEST_FULL, or its name)"; continue; } ;;
    esac
    rm -rf "${out:?}/$name"
    mkdir -p "$out/lib" && cp -r "$folder" "$out/$name" && chmod -R u+w "$out/$name" || exit 1
    [ ! -d "$cases/lib" ] || cp -rf "$cases"/lib/* "$out/lib"
    cd "$out/$name" || exit 1
    run_case "$name" > case.log 2>&1
    status=$?
    if [ $status -eq 77 ]; then
        echo "skipped: $name: no NumPy and safetensors"
    elif right "$name"; then
        passed=$((passed + 1))
        echo "right: $name"
    else
        failed=$((failed + 1))
        echo "FAIL $name: $(sed -n 's/^Kind: //p' README.md)"
        head -n 4 case.log | cut -c 1-150 | sed 's/^/    /'
    fi
    cd "$out" || exit 1
done
finish
