#!/bin/sh
# layers.sh: every #include of the compiler names its layer, and none runs backwards.
#
# A file may include files of its own folder and of the layers that stand before it in
# `order`; layers of one rank do not know each other.  compile.c and compile.h, the
# hall, are a layer of their own.  RNC_LAYERS_OF is another tree to look at.
. "$(dirname "$0")/lib.sh"
order="kernels=0 runtime=0 base=1 net=2 lang=3 params=3 exchange=3 passes=3 train=3 plan=4 emit=5 hall=6 view=7 tool=8"

# check TREE: prints a line for each wrong include, then "N includes".
check() {
    (cd "$1" && find compiler -type f \( -name '*.[chly]' -o -name '*.def' \) \
        ! -name lex.c ! -name parse.c ! -name grammar.h ! -name texts.c | sort |
        xargs grep -n '^ *# *include *"' /dev/null) |
    awk -v order="$order" -F: '
    BEGIN { n = split(order, rows, " ")
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
          print $1 ":" $2 ": \"" to "\" is private to " b }
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
    mkdir -p "$out/tree/compiler/$(dirname "$2")"
    printf '#include "%s"\n' "$3" > "$out/tree/compiler/$2"
    expect "$1" "$out/tree" "$4"
}
wrong "back" net/ir.h plan/plan.h 'is not before it: net may not know plan'
wrong "sideways" lang/lower.c params/bind.h 'is not before it: lang may not know params'
wrong "into the hall" emit/emit.c compile.h 'is not before it: emit may not know hall'
wrong "no layer" plan/plan.c ir.h 'does not name its layer'
wrong "a folder nobody knows" attic/old.c net/ir.h 'is not in the order'
wrong "private header" emit/emit.c plan/plan_parts.h 'is private to plan'
wrong "forwards" plan/plan.c net/ir.h '^1 includes$'
finish
