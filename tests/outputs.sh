#!/bin/sh
# outputs.sh: the files that rnc writes: all of them new or all of them old, whatever happens,
# through no link of somebody else's, under any name; and input files that never end.
. "$(dirname "$0")/lib.sh"
. "$src/tests/expect.sh"
rm -rf "$out"
mkdir -p "$out"
cd "$out" || exit 1

printf 'net t {\n  input image[3, 9, 7]\n  conv 3x3 5\n  output y\n}\n' > t.net
quick="--init he:1 --isa scalar -q"

# expect WHAT COMMAND...: counts the command's success.
expect() {
    what=$1
    shift
    "$@" && result good || result bad "$what"
}

# state FOLDER: "old" or "new" for each of t's outputs there, then the other files.
state() {
    for end in c h weights; do
        if [ "$(head -c 3 "$1/t.$end")" = old ]; then printf 'old '; else printf 'new '; fi
    done
    ls "$1" | grep -cv '^t\.\(c\|h\|weights\)$'
}

old_set() {
    rm -rf o
    mkdir o
    for end in c h weights; do echo "old $end" > o/t.$end; done
}

# ---- unchanged outputs keep their time ----

run 0 'first' t.net $quick -o kept.c
touch -d '2001-01-01' kept.c kept.h kept.weights
run 0 'the same again' t.net $quick -o kept.c
for file in kept.c kept.h kept.weights; do
    expect "$file keeps its time" [ "$(date -r $file +%Y)" = 2001 ]
done
echo other > kept.weights
run 0 'other weights' t.net $quick -o kept.c
expect 'the C keeps its time' [ "$(date -r kept.c +%Y)" = 2001 ]
expect 'the weights are new' [ "$(date -r kept.weights +%Y)" != 2001 ]

# ---- links ----

echo precious > victim
ln -s victim linked.c
run 0 'an output that is a link' t.net $quick -o linked.c
expect 'the link is replaced, not followed' [ "$(cat victim)" = precious ]

# ---- what a killed run left ----

mkdir dead
echo half > dead/t.c.0123456789abcdef.rnc-tmp
echo mine > dead/t.c.notours.rnc-tmp
( flock 9; echo held > dead/t.h.0123456789abcdef.rnc-tmp; exec "$rnc" t.net $quick -o dead/t.c ) \
    9> dead/t.h.0123456789abcdef.rnc-tmp
expect 'a temporary of nobody is removed' [ ! -e dead/t.c.0123456789abcdef.rnc-tmp ]
expect 'one that is locked stays' [ -e dead/t.h.0123456789abcdef.rnc-tmp ]
expect 'a file of another form stays' [ -e dead/t.c.notours.rnc-tmp ]

# ---- failing calls and signals ----

preload=
case " ${RNC_TEST_CFLAGS:-} " in
*sanitize*) echo 'skipped: sanitizers take no preloaded library before them' ;;
*) ${CC:-cc} -O1 -shared -fPIC -o failio.so "$src/tests/failio.c" -ldl && preload=$PWD/failio.so ;;
esac
if [ -n "$preload" ]; then
    # Each output is renamed after the one before it, to FAIL_AT.
    for at in 1 2 3; do
        old_set
        FAIL_CALL=rename FAIL_AT=$at LD_PRELOAD=$preload "$rnc" t.net $quick -o o/t.c > out 2> err
        expect "rename $at fails: refused" [ $? -eq 1 ]
        says err 'cannot write the output: Input/output error'
        expect "rename $at fails: all old ($(state o))" [ "$(state o)" = "old old old 0" ]
        rm -rf o
        mkdir o
        FAIL_CALL=rename FAIL_AT=$at LD_PRELOAD=$preload "$rnc" t.net $quick -o o/t.c > out 2> err
        expect "rename $at fails: nothing where nothing was" [ -z "$(ls o)" ]
        old_set
        FAIL_CALL=write FAIL_AT=$at LD_PRELOAD=$preload "$rnc" t.net $quick -o o/t.c > out 2> err
        expect "write $at fails: all old" [ "$(state o)" = "old old old 0" ]
        # SIGHUP, SIGINT, SIGPIPE and SIGTERM.
        for signal in 1 2 13 15; do
            old_set
            FAIL_CALL=rename FAIL_AT=$at FAIL_SIG=$signal LD_PRELOAD=$preload \
                "$rnc" t.net $quick -o o/t.c > out 2> err
            expect "signal $signal at rename $at: all new" [ "$(state o)" = "new new new 0" ]
            old_set
            FAIL_CALL=write FAIL_AT=$at FAIL_SIG=$signal LD_PRELOAD=$preload \
                "$rnc" t.net $quick -o o/t.c > out 2> err
            expect "signal $signal at write $at: all old" [ "$(state o)" = "old old old 0" ]
        done
    done
    # Where the file system has no links the old file is moved away instead.
    old_set
    FAIL_CALL=link FAIL_AT=1 LD_PRELOAD=$preload "$rnc" t.net $quick -o o/t.c > out 2> err
    expect 'without links' [ "$(state o)" = "new new new 0" ]
fi

# ---- names ----

# The assembler and C read the weights file's name in --embed incbin.
for name in 'a"quote' 'back\slash'; do
    run 2 "compile '$name'" t.net $quick --embed incbin -o "$name.c"
    says err 'use another name'
done
for name in 'a@b' 'x$1' 'per%cent' "a'quote" 'two words' "$(printf 'gr\303\274n')" 'tri??/graph'; do
    case $name in */*) mkdir -p "$(dirname "$name")" ;; esac
    run 0 "compile '$name'" t.net $quick --embed incbin -o "$name.c"
    (cd "$(dirname "$name")" && ${CC:-cc} -I"$src/runtime" -c "$(basename "$name").c" -o incbin.o) > out 2>&1
    expect "--embed incbin of '$name' builds" [ $? -eq 0 ]
done

# ---- input files that are none ----

mkfifo fifo
label='a FIFO'
for file in fifo /dev/zero /dev/null; do
    timeout 5 "$rnc" $file -o special.c > out 2> err
    expect "$file as the network is refused at once" [ $? -eq 1 ]
    says err 'is not a regular file'
    timeout 5 "$rnc" t.net --labels $file $quick -o special.c > out 2> err
    expect "$file as labels is refused at once" [ $? -eq 1 ]
    timeout 5 "$rnc" t.net --tuning $file $quick -o special.c > out 2> err
    expect "$file as a tuning is refused at once" [ $? -eq 1 ]
    says err 'is not a regular file'
    timeout 5 "$rnc" eval t.net --init he:1 --input $file > out 2> err
    expect "$file as an input's values is refused at once" [ $? -eq 1 ]
done
gone special.c special.h

# ---- what eval writes it reads ----

for order in nchw nhwc; do
    printf 'net e {\n  input q[4, 4, 4] order=%s\n  conv 1x1 2\n  output z order=%s\n}\n' $order $order > e.net
    "$rnc" eval e.net --init random:1 --random 1 --tensor q --output-dir v > out 2> err
    head -n 1 out > first
    run 0 "what eval wrote, $order" eval e.net --init random:1 --input v/q.npy
    expect "eval reads back what it wrote, $order" cmp -s first out
done

# ---- names in what is printed ----

# A control character, a byte that is not UTF-8, the end of a comment.
printf 'net n\n\ni = input : f32 nchw[1][1][2][2]\n"a\001b\377*/c" = relu(i)\n\nport in i = i f32 nchw\nport out y = "a\001b\377*/c" f32 nchw\n' > odd.ir
# clean WHAT FILE: neither of the two bytes is there
clean() {
    if [ "$(LC_ALL=C tr -dc '\001\377' < "$2" | wc -c)" -ne 0 ]; then
        result bad "$1 has bytes that are not safe to show"
    else
        result good
    fi
}
for print in 'summary' 'summary --format json' 'graph --format svg' 'graph --format dot'; do
    run 0 "$print" $print odd.ir
    clean "rnc $print" out
done
for dump in ir plan report; do
    run 0 "dump $dump" odd.ir --dump $dump
    clean "--dump $dump" out
done
"$rnc" odd.ir --dump ir | sed 's/  #.*//' > back.ir
run 0 'the .ir text reads back' back.ir --dump ir
sed 's/  #.*//' out > again.ir
expect 'and is the same' cmp -s back.ir again.ir
run 0 'compile' odd.ir -o odd.c
clean 'the C' odd.c
${CC:-cc} -I"$src/runtime" -c odd.c -o odd.o > out 2>&1
expect 'the C builds' [ $? -eq 0 ]
if command -v python3 > /dev/null 2>&1; then
    "$rnc" graph odd.ir -o odd.svg && python3 -c "import xml.dom.minidom as x; x.parse('odd.svg')" > out 2> err
    expect 'the SVG is XML' [ $? -eq 0 ]
    "$rnc" summary odd.ir --format json | python3 -m json.tool > out 2> err
    expect 'the JSON is JSON' [ $? -eq 0 ]
else
    echo 'skipped: no python3 to read SVG and JSON'
fi
finish
