#!/bin/sh
# streams.sh: a network that gets a clip piece by piece computes what it computes from the whole
# clip: models/tcn.net by the interpreter, and its C with each instruction set
# (tests/streams/streams.c).
. "$(dirname "$0")/lib.sh"
cd "$out" || exit 1
rm -rf ./*
net=$src/models/tcn.net
small="-D dilations=1,2,4 -D filters=20 --init random:3"

# ---- the interpreter ----

# values FILE: the numbers of a .npy file of float64, one a line; the last N of them.
values() {
    tail -c $((8 * $2)) "$1" | od -A n -v -t f8 -w8 | tr -d ' '
}
# $small is a list of words.
check "a clip" "$rnc" eval "$net" $small --random 5 -D rows=30 -D stream=false --output-dir clip
check "as frames" "$rnc" eval "$net" $small --random 5 --runs 30 --output-dir frames
check "as pieces" "$rnc" eval "$net" $small --random 5 -D rows=6 --runs 5 --output-dir pieces
# [12][30], and [30][12]; [5][12][6]
values clip/words.npy 360 > clip.txt
values frames/words.npy 360 | awk '{ v[NR - 1] = $1 }
    END { for (c = 0; c < 12; c++) for (t = 0; t < 30; t++) print v[t * 12 + c] }' > frames.txt
values pieces/words.npy 360 | awk '{ v[NR - 1] = $1 }
    END { for (c = 0; c < 12; c++) for (t = 0; t < 30; t++)
              print v[int(t / 6) * 72 + c * 6 + t % 6] }' > pieces.txt
check "frames are as the clip" cmp clip.txt frames.txt
check "pieces are as the clip" cmp clip.txt pieces.txt
check "there are values" [ "$(sort -u clip.txt | wc -l)" -gt 300 ]

# ---- the C ----

case $(uname -m) in
x86_64) isas=avx512,avx2,portable,scalar ;;
*) isas=neon,portable,scalar ;;
esac
# compile NAME OPTION...: the model as NAME.c, with its weights in it.
compile() {
    name=$1
    shift
    check "$name" "$rnc" "$net" $small "$@" --isa $isas --embed array --single-file -q -o $name.c
}
compile clip -D rows=24 -D stream=false
compile frame
compile chunk -D rows=4
compile whole -D rows=24
check "the program" ${CC:-cc} -std=gnu11 $(level -O1) -Wall -Wextra -Werror -I. "$src/tests/streams/streams.c" \
    clip.c frame.c chunk.c whole.c -o streams -lm
check "streams are as the clip" ./streams

finish
