#!/bin/sh
# dependencies.sh: -MD and its like, and the builds of docs/build-systems.md: nothing is done
# where nothing changed, and everything where an included file did.
. "$(dirname "$0")/lib.sh"
. "$src/tests/expect.sh"
rm -rf "$out"
mkdir -p "$out"
cd "$out" || exit 1

# ---- the rules ----

mkdir 'a dir'
echo 'block b(f) { main { conv 1x1 f ; relu } shortcut {} add }' > 'a dir/b#1.net'
printf 'include "a dir/b#1.net"\nnet t(f = 3) {\n  input i[3, 8, 8]\n  b(f)\n  avgpool global ; flatten\n  output y labels="names.txt"\n}\n' > t.net
printf 'one\ntwo\nthree\n' > names.txt
rules() {
    wanted=$1
    shift
    printf "$wanted" > wanted
    run 0 "rnc $*" "$@"
    cmp -s wanted "$made" && result good || { cp "$made" out; result bad "the rules of rnc $*"; }
}
inputs=' \\\n  t.net \\\n  a\\ dir/b\\#1.net \\\n  names.txt\n'
made=x.d
rules "x.c x.h:$inputs" t.net -D f=3 -q -o x.c -MD
made=other.mk
rules "x.c x.h:$inputs" t.net -q -o x.c -MF other.mk
rules "st\$\$amp:$inputs" t.net -q -o x.c -MF other.mk -MT 'st$amp'
rules "x.c x.h:$inputs\nt.net:\n\na\\ dir/b\\#1.net:\n\nnames.txt:\n" t.net -q -o x.c -MFother.mk -MP
made=x.svg.d
rules "x.svg:$inputs" graph t.net -o x.svg -MD
run 0 'convert' convert t.net --init he:1 -q -o t.safetensors
made=x.d
rules "x.c x.h x.weights:$(printf '%s' "$inputs" | sed 's/\\n$//') \\\\\n  t.safetensors\n" \
    t.net -w t.safetensors -q -o x.c -MD
printf '{"weight_map": {"b1.main.conv1.weight": "t.safetensors"}}' > t.json
rules "x.c x.h x.weights:$(printf '%s' "$inputs" | sed 's/\\n$//') \\\\\n  t.safetensors \\\\\n  t.json\n" \
    t.net -w t.json -q -o x.c -MD
run 1 'over a file that an index names' convert t.net -w t.json -q -o t.safetensors
says err 'the output would overwrite an input'
rm -f x.* other.mk
run 1 'a broken network' t.net -D f=4 -q -o x.c -MD
gone x.c x.h x.d

# ---- the builds of the manual ----

# block KIND: the example of the page behind <!-- KIND -->.
block() {
    awk -v kind="<!-- $1 -->" '$0 == kind { on = 1; next } on && /^```/ { if (inside) exit; inside = 1; next }
        on && inside { print }' "$src/docs/build-systems.md"
}

project() {
    rm -rf "$1"
    mkdir "$1"
    echo 'block b(f) { main { conv 1x1 f ; relu } shortcut {} add }' > "$1/b.net"
    printf 'include "b.net"\nnet signs(f = 3) {\n  input i[3, 8, 8]\n  b(f)\n  avgpool global ; flatten\n  output y\n}\n' > "$1/signs.net"
    "$rnc" convert "$1/signs.net" --init he:1 -q -o "$1/signs.safetensors"
    cat > "$1/main.c" << 'EOC'
#include "signs.h"
#include <stdio.h>
int main(void) { printf("%d\n", (int)SIGNS_ARENA_BYTES); return 0; }
EOC
}

# cycle NAME PROGRAM BUILD...: builds, finds nothing to do, and builds again after an edit of
# the included file.
cycle() {
    name=$1 program=$2
    shift 2
    label=$name
    "$@" > out 2> err && [ -x "$program" ] && result good || result bad "$name: the first build"
    first=$(date -r "$program" +%s%N)
    sleep 1
    "$@" > out 2> err && [ "$(date -r "$program" +%s%N)" = "$first" ] && result good ||
        result bad "$name: a second build did something"
    sed -i 's/ ; relu/ ; tanh/' "$project/b.net"
    "$@" > out 2> err && [ "$(date -r "$program" +%s%N)" != "$first" ] && result good ||
        result bad "$name: an edit of the included file was not noticed"
}

PATH=$(dirname "$rnc"):$PATH
export PATH
project=$out/make
project make
block make > make/Makefile
cycle make make/main make -C make CC="${CC:-cc}"
if command -v cmake > /dev/null 2>&1 && command -v ninja > /dev/null 2>&1; then
    project=$out/cmake
    project cmake
    block cmake > cmake/CMakeLists.txt
    CC=${CC:-cc} cmake -G Ninja -S cmake -B cmake/b > out 2> err || result bad 'cmake does not configure'
    cycle cmake cmake/b/main cmake --build cmake/b
    project=$out/cmakefiles
    project cmakefiles
    block cmake > cmakefiles/CMakeLists.txt
    CC=${CC:-cc} cmake -G 'Unix Makefiles' -S cmakefiles -B cmakefiles/b > out 2> err || result bad 'cmake does not configure'
    cycle 'cmake with make' cmakefiles/b/main cmake --build cmakefiles/b
else
    echo 'skipped: no CMake and Ninja'
fi
if command -v meson > /dev/null 2>&1 && command -v ninja > /dev/null 2>&1; then
    project=$out/meson
    project meson
    block meson > meson/meson.build
    CC=${CC:-cc} meson setup meson/b meson > out 2> err || result bad 'meson does not configure'
    cycle meson meson/b/main ninja -C meson/b
else
    echo 'skipped: no Meson and Ninja'
fi
finish
