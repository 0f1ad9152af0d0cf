#!/bin/sh
# layers.sh: every #include of the compiler names its layer, and none runs backwards; compiler/README
# names every file, none has more than 500 lines, and no function more than 60 (with a switch, 120).
#
# A file may include files of its own folder and of the layers that stand before it in
# `order`; layers of one rank do not know each other.  compile.c and compile.h, the
# hall, are a layer of their own.  train/, which training programs link, includes its own
# files and runtime/ only, and runtime/ its own only; of compiler/ only tool/ includes train/'s.
# RNC_LAYERS_OF is another tree to look at.
. "$(dirname "$0")/lib.sh"
order="kernels=0 runtime=0 base=1 net=2 lang=3 params=3 passes=3 train=3 import=4 exchange=4 plan=5 emit=6 hall=7 view=8 tool=9"

# check TREE: prints a line for each wrong include, then "N includes".
check() {
    (cd "$1" && find train runtime -type f -name '*.[ch]' 2> /dev/null | sort |
        xargs grep -n '^ *# *include *"' /dev/null) |
    awk -F: '
    { from = substr($1, 1, index($1, "/") - 1)
      to = $3; gsub(/^[^"]*"|".*$/, "", to)
      if (from == "train" ? to !~ /^(train|runtime)\// : to ~ /\//)
          print $1 ":" $2 ": \"" to "\" is neither of " from "/" \
              (from == "train" ? " nor of runtime/" : "") }'
    (cd "$1" && find compiler -type f \( -name '*.[chly]' -o -name '*.def' \) \
        ! -name lex.c ! -name parse.c ! -name grammar.h ! -name texts.c ! -name 'onnx.pb-c.*' | sort |
        xargs grep -n '^ *# *include *"' /dev/null) |
    awk -v order="$order" -v training="$(cd "$1" && echo train/*.h)" -F: '
    BEGIN { n = split(training, rows, " ")
            for (i = 1; i <= n; i++) is_training[rows[i]] = 1
            n = split(order, rows, " ")
            for (i = 1; i <= n; i++) { split(rows[i], row, "="); rank[row[1]] = row[2] } }
    # The layer of a path: its first folder, or the hall.
    function layer(path) { return path ~ /\// ? substr(path, 1, index(path, "/") - 1) : "hall" }
    function file_of(path) { sub(/.*\//, "", path); return path }
    { from = $1; sub(/^compiler\//, "", from)
      to = $3; gsub(/^[^"]*"|".*$/, "", to)
      a = layer(from); b = layer(to); count++
      if (b == "hall" && to != "compile.h")
          print $1 ":" $2 ": \"" to "\" does not name its layer (\"net/ir.h\")"
      else if (!(a in rank))
          print $1 ":" $2 ": the layer \"" a "\" is not in the order of tests/layers.sh"
      else if (!(b in rank))
          print $1 ":" $2 ": the layer of \"" to "\" is not in the order of tests/layers.sh"
      else if (a != b && rank[b] >= rank[a])
          print $1 ":" $2 ": \"" to "\" is not before it: " a " may not know " b
      if (a != b && to ~ /_parts\.h$/)
          print $1 ":" $2 ": \"" to "\" is private to " b
      if (a != "tool" && to in is_training)
          print $1 ":" $2 ": \"" to "\" is for training programs: " a " may not know it" }
    END { print count + 0 " includes" }'
}

# expect WHAT TREE PATTERN: the first line that check prints of the tree.
expect() {
    got=$(check "$2" | head -n 1)
    if printf '%s\n' "$got" | grep -q "$3"; then
        passed=$((passed + 1))
    else
        echo "FAIL $1: '$got'"
        failed=$((failed + 1))
    fi
}

expect "the tree has no wrong include" "${RNC_LAYERS_OF:-$src}" '^[1-9][0-9][0-9] includes$'

# wrong WHAT FROM INCLUDE PATTERN: the check finds it in a tree of one file.
wrong() {
    rm -rf "$out/tree"
    case $2 in
    train/*.c | runtime/*.c) file=$out/tree/$2 ;;
    *) file=$out/tree/compiler/$2 ;;
    esac
    mkdir -p "$(dirname "$file")" "$out/tree/compiler" "$out/tree/train"
    : > "$out/tree/train/order.h"
    printf '#include "%s"\n' "$3" > "$file"
    expect "$1" "$out/tree" "$4"
}
wrong "back" net/ir.h plan/plan.h 'is not before it: net may not know plan'
wrong "sideways" lang/lower.c params/bind.h 'is not before it: lang may not know params'
wrong "into the hall" emit/emit.c compile.h 'is not before it: emit may not know hall'
wrong "no layer" plan/plan.c ir.h 'does not name its layer'
wrong "a folder nobody knows" attic/old.c net/ir.h 'is not in the order'
wrong "private header" emit/emit.c plan/plan_parts.h 'is private to plan'
wrong "training in the plan" plan/plan.c train/order.h 'is for training programs: plan may not know it'
wrong "training in a command" tool/data_command.c train/order.h '^1 includes$'
wrong "the compiler in training" train/a.c net/ir.h 'is neither of train/ nor of runtime/'
wrong "its runtime" train/a.c rncrt.h 'is neither of train/ nor of runtime/'
wrong "training in the runtime" runtime/a.c train/order.h 'is neither of runtime/'
wrong "forwards" plan/plan.c net/ir.h '^1 includes$'

# ---- compiler/README has a place for every file ----

if [ -z "${RNC_LAYERS_OF:-}" ]; then
    unnamed=$(cd "$src" && find compiler -type f \( -name '*.[cly]' -o -name '*.def' \) ! -name lex.c \
        ! -name parse.c ! -name texts.c ! -name '*.pb-c.c' | while read -r file; do
        grep -qw -- "${file##*/}" compiler/README || echo "compiler/README does not name $file"
    done)
    if [ -z "$unnamed" ]; then
        passed=$((passed + 1))
    else
        printf 'FAIL %s\n' "$unnamed"
        failed=$((failed + 1))
    fi
fi

# ---- files that a person can keep in mind ----

long=$(cd "${RNC_LAYERS_OF:-$src}" && find compiler kernels runtime train examples tests -type f \
    \( -name '*.[chly]' -o -name '*.sh' -o -name '*.py' \) \
    ! -name lex.c ! -name parse.c ! -name grammar.h ! -name texts.c ! -name 'onnx.pb-c.*' |
    xargs wc -l | awk '$2 != "total" && $1 > 500 { print $2 " has " $1 " lines, more than 500" }')
if [ -z "$long" ]; then
    passed=$((passed + 1))
else
    printf 'FAIL long files\n%s\n' "$long"
    failed=$((failed + 1))
fi

# ---- functions, too; one with a switch over operators may be as long as there are operators ----

# long_functions TREE: a line for each that is too long.  A body's braces stand alone in column 0.
long_functions() {
    (cd "$1" && find compiler kernels runtime train examples tests -type f -name '*.[chly]' ! -name lex.c \
        ! -name parse.c ! -name grammar.h ! -name texts.c ! -name 'onnx.pb-c.*' 2> /dev/null | sort | xargs awk '
    FNR == 1 { inside = 0 }
    inside && /^ *switch \(/ { most = 120 }
    inside && /^}/ {
        if (FNR - begin - 1 > most)
            print FILENAME ":" begin ": a function of " FNR - begin - 1 " lines, more than " most
        inside = 0
    }
    /^{$/ && !inside { inside = 1; begin = FNR; most = 60 }')
}
# body LINES: a function of so many lines, of which the first is $first.
body() { awk -v n="$1" -v first="$first" 'BEGIN { print "void f(void)\n{\n" first; while (--n) print "    a();"; print "}" }'; }
mkdir -p "$out/tree/compiler"
for row in '60:    a();:' '61:    a();:of 61 lines' '120:    switch (a) {:' '121:    switch (a) {:of 121 lines'; do
    first=${row#*:}
    first=${first%:*}
    body "${row%%:*}" > "$out/tree/compiler/f.c"
    found=$(long_functions "$out/tree" | sed 's/.* a function //; s/,.*//')
    if [ "$found" = "${row##*:}" ]; then
        passed=$((passed + 1))
    else
        echo "FAIL long functions: $row, found '$found'"
        failed=$((failed + 1))
    fi
done
long=$(long_functions "${RNC_LAYERS_OF:-$src}")
if [ -z "$long" ]; then
    passed=$((passed + 1))
else
    printf 'FAIL long functions\n%s\n' "$long"
    failed=$((failed + 1))
fi

# ---- names of kernels end with their text, or no network and no port could have them ----

# lasting TREE: names that are defined for an instruction set and never undefined.
lasting() {
    (cd "$1" && find kernels -name '*.[ch]' | sort | xargs awk '
    $1 == "#define" && $3 ~ /^RNC_FN\(/ { defined[$2] = FILENAME }
    $1 == "#undef" { ended[$2] = 1 }
    END { for (name in defined) if (!(name in ended)) print defined[name] ": " name }')
}
mkdir -p "$out/tree/kernels"
printf '#define a RNC_FN(a)\n#define b RNC_FN(b)\n#undef a\n' > "$out/tree/kernels/k.h"
found="$(lasting "$out/tree") $(lasting "${RNC_LAYERS_OF:-$src}")"
if [ "$found" = 'kernels/k.h: b ' ]; then
    passed=$((passed + 1))
else
    printf 'FAIL names that are never undefined\n%s\n' "$found"
    failed=$((failed + 1))
fi
finish
