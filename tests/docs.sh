#!/bin/sh
# docs.sh [--refresh]: what the manual shows is what rnc does.  In README.md and
# docs/*.md a comment in front of a block in ``` says how it is checked:
#
#   <!-- run -->            the first line is `$ COMMAND`, the others are what that
#                           prints, messages included
#   <!-- net FILE -->       a file; if there is a net in it, it is compiled to a plan
#   <!-- file FILE -->      a file
#   <!-- layers NAME=VALUE... -->  statements that go on from a tensor of 64 x 56 x 56,
#                           in front of them `let NAME = VALUE`; compiled to a plan
#   <!-- refuse TEXT -->    layers that are an error, with TEXT in its message
#
# Commands run in a folder with models/, examples/, tests/ and the files of the page's blocks
# so far; layers know the blocks of blocks.net, if the page has such a file.
# --refresh rewrites what commands print: read the difference before you commit it.
. "$(dirname "$0")/lib.sh"
refresh=no
[ "${1:-}" = --refresh ] && refresh=yes
rm -rf "$out" && mkdir -p "$out" || exit 1
PATH=$(dirname "$rnc"):$PATH
LC_ALL=C
export PATH LC_ALL

# split: each block of a page to NUMBER.text, `LINE KIND ARGUMENTS` to NUMBER.kind.
cat > "$out/split.awk" << 'A'
/^```/ && inside { inside = 0; next }
/^```/ && mark != "" {
    inside = 1
    n++
    print NR, mark > (dir "/" n ".kind")
    printf "" > (dir "/" n ".text")
    mark = ""
    next
}
inside { print > (dir "/" n ".text"); next }
/^<!-- (run|file|net|layers|refuse)( .*)? -->$/ { mark = substr($0, 6, length($0) - 9) }
A

# join: the page with what its commands have printed, NUMBER.out.
cat > "$out/join.awk" << 'A'
/^```/ && inside { inside = 0; print; next }
/^```/ && mark != "" {
    print
    n++
    inside = mark == "run"
    mark = ""
    next
}
inside {
    if (inside++ == 1) {
        print
        while ((getline line < (dir "/" n ".out")) > 0)
            print line
    }
    next
}
{ print }
/^<!-- (run|file|net|layers|refuse)( .*)? -->$/ { mark = substr($0, 6, length($0) - 9) }
A

# fail WHERE WHAT FILE: FILE says more.
fail() {
    echo "FAIL $1: $2"
    sed -n '1,40s/^/    /p' "$3"
    failed=$((failed + 1))
}

# run_command WHERE NUMBER
run_command() {
    sed -n '1s/^\$ //p' "$2.text" > "$2.command"
    sed 1d "$2.text" > "$2.expected"
    (cd "$work" && sh "../$2.command") > "$2.out" 2>&1
    if [ ! -s "$2.command" ]; then
        fail "$1" "the first line is to be \`\$ COMMAND\`" "$2.text"
    elif [ $refresh = yes ] || diff -u "$2.expected" "$2.out" > "$2.diff"; then
        passed=$((passed + 1))
    else
        sed 1,2d "$2.diff" > "$2.lines"
        fail "$1" "the command prints something else (-: the page, +: printed)" "$2.lines"
    fi
}

# compile WHERE NUMBER FILE TEXT: rnc takes the file; with TEXT, it refuses it, saying TEXT.
compile() {
    (cd "$work" && "$rnc" "$3" --init random:1 --dump plan) > "$2.plan" 2> "$2.err"
    status=$?
    if [ -z "$4" ] && [ $status -ne 0 ]; then
        fail "$1" "rnc refuses it" "$2.err"
    elif [ -n "$4" ] && { [ $status -ne 1 ] || ! grep -qF -e "$4" "$2.err"; }; then
        fail "$1" "rnc was to refuse it, saying \"$4\"" "$2.err"
    else
        passed=$((passed + 1))
    fi
}

# layers NUMBER LETS: the net that has the block's statements in it.
layers() {
    [ ! -f "$work/blocks.net" ] || echo 'include "blocks.net"'
    echo 'net page {'
    echo '  input image[64, 56, 56]'
    for let in $2; do
        echo "  let $let" | sed 's/=/ = /'
    done
    cat "$1.text"
    printf '  output result\n}\n'
}

for page in "$src"/README.md "$src"/docs/*.md; do
    name=${page#"$src/"}
    dir=$out/$(echo "$name" | tr / -)
    work=$dir/work
    mkdir -p "$work" && cd "$dir" || exit 1
    ln -s "$src/models" "$src/examples" "$src/tests" "$work/" || exit 1
    awk -v dir="$dir" -f "$out/split.awk" "$page"
    n=1
    while [ -f "$n.kind" ]; do
        read -r line kind rest < "$n.kind"
        where=$name:$line
        case $kind in
        run) run_command "$where" "$n" ;;
        file) cp "$n.text" "$work/$rest" ;;
        net)
            cp "$n.text" "$work/$rest"
            ! grep -q '^net ' "$n.text" || compile "$where" "$n" "$rest" ''
            ;;
        layers)
            layers "$n" "$rest" > "$work/page$n.net"
            compile "$where" "$n" "page$n.net" ''
            ;;
        refuse)
            layers "$n" '' > "$work/page$n.net"
            compile "$where" "$n" "page$n.net" "$rest"
            ;;
        esac
        n=$((n + 1))
    done
    if [ $refresh = yes ] && [ $n -gt 1 ]; then
        awk -v dir="$dir" -f "$out/join.awk" "$page" > new.md
        cmp -s new.md "$page" || { echo "refreshed $name" && cp new.md "$page"; }
    fi
done
finish && [ $passed -gt 0 ]
