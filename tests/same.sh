#!/bin/sh
# same.sh: whether this rnc's programs compute the same bits as an older rnc's.
#
#     tests/same.sh OLD-RNC [OLD-SOURCE] [OPTION...]        from the build folder
#
#     OLD-SOURCE       the tree of the older rnc, for its runtime/ and models/ (default: the
#                      nearest folder above OLD-RNC that has them)
#     --models LIST    only these, with commas: resnet50, tutorial/identity-block, random
#     --configs LIST   only these: speed, balanced, size, exact, batch, turns, u8
#     --isa LIST       only these (default: each that this CPU has, all in one program)
#     --random N       random networks (10)
#     --jobs N         programs at once (default: a processor each)
#
# Every network of models/, as each tree has it but small, and random networks are compiled by
# both compilers and run on the same inputs and the same drawn weights.  Every output of
# every instruction set must have the same bits.  Softmax is left out of the models: with
# untrained weights it would give a 1 and zeros.  The networks whose row below says `all` are
# compared in every configuration, the others with rnc's defaults.  With RNC_TEST_FULL set, every
# network is compared in every configuration, also with each instruction set in a program of its
# own, and those of ImageNet also at 224x224.
#
# What a program computed is kept below tests-out/same/cache under a hash of all that it
# was made of, so that the older half is computed once (RNC_SAME_CACHE: another folder).
# RNC_SAME_CFLAGS are the flags for the programs (-O0: compiling takes far longer than running).
# The bits are those of -std=c99 with any -O; without -std gcc may contract a product and a sum
# into one operation, for AVX-512 and AVX2, and does so in other places when the text changes.
. "$(dirname "$0")/lib.sh"
here=$(cd "$(dirname "$0")" && pwd)
flags=${RNC_SAME_CFLAGS:--O0}
cache=${RNC_SAME_CACHE:-$out/cache}

usage() {
    sed -n 's/^# \{0,1\}//; 2,/^ *--jobs/p' "$0" >&2
    exit 2
}

# network, `all` or `one`, options that make it small
models() {
    cat << 'C'
resnet18 all -D size=65x49
resnet34 one -D size=33x47
resnet50 all -D size=65x49 -D blocks=1,1,1,1
resnet101 one -D size=33x33
resnet152 one -D size=33x33
resnext50_32x4d all -D size=65x49 -D blocks=1,1,1,1
wide_resnet50_2 one -D size=33x47 -D blocks=1,1,1,1
seresnet50 all -D size=65x49 -D blocks=1,1,1,1
mobilenet_v2 all -D size=65x49
densenet121 all -D size=65x49 -D layers=3,4,3,2
resnet8 all
resnet20 all -D size=37x29 -D filters=13
resnet32 one
resnet44 one
resnet56 one
resnet110 one
resnet one -D layers=18 -D size=33x33 -D early_stride=true
resnet-v2 all -D layers=18 -D size=65x49
resnet-cifar all -D option=B -D size=19x13
plain one -D layers=18 -D size=33x47
plain-cifar one
tutorial/identity-block all
tutorial/identity-block-2 one
tutorial/convolutional-block one
tutorial/resnet50-keras all
tutorial/plain50-keras one
tutorial/resnet-v2 one -D size=65x49
C
}

# The options of a configuration, and what its inputs are.
options_of() {
    case $1 in
    speed) echo ;;
    balanced | size) echo "--optimize $1" ;;
    exact) echo --exact ;;
    batch) echo --batch 3 ;;
    turns) echo --batch 4 --machine cortex-a72 ;;
    u8) echo --input-type u8 --input-order nhwc ;;
    *)
        echo "same.sh: there is no configuration '$1'" >&2
        return 1
        ;;
    esac
}

# ---- one program ----

# emit SIDE: same.c, same.h and same.weights in the folder $SIDE.  This rnc draws the weights for both.
emit() {
    case $1 in
    old) compiler=$old_rnc ;;
    *) compiler=$rnc ;;
    esac
    rm -rf "$1" && mkdir -p "$1/outputs" || return 1
    # The options are words.
    [ -f drawn.safetensors ] ||
        "$rnc" convert "$out/models-new/$net.net" --init random:1 $options -q -o drawn.safetensors > "$1/log" 2>&1 || return 1
    "$compiler" "$out/models-$1/$net.net" -w drawn.safetensors --isa "$isas" --input-type f32 --input-order nchw \
        $(options_of "$config") $options -q -o "$1/same.c" > "$1/log" 2>&1
}

# key SIDE: a hash of all that its outputs are made of; the C but for its first comment, in
# which the command is.
key() {
    { sed '1,/\*\/$/d' "$1/same.c"; cat "$1/same.h" "$out/runtime-$1.sum" "$here/same/run.c"; echo "$flags $CC $type $isas"
      cat "$1/same.weights" 2> /dev/null; } | sha256sum | cut -d ' ' -f 1
}

# compute SIDE: its outputs and, in `bytes`, its sizes; from the cache, if they are there.
compute() {
    at=$cache/$(key "$1")
    if [ ! -f "$at/bytes" ]; then
        case $1 in
        old) runtime=$old_src/runtime ;;
        *) runtime=$src/runtime ;;
        esac
        # The flags are words, as those of CC are.
        $CC $flags -I"$runtime" -I"$1" "$here/same/run.c" "$1/same.c" "$out"/runtime-"$1"/*.o \
            -o "$1/run" -pthread -lm > "$1/log" 2>&1 || return 1
        "$1/run" "$1/same.weights" "$type" "$1/outputs" $(echo "$isas" | tr , ' ') \
            > "$1/outputs/bytes" 2> "$1/log" || return 1
        rm -rf "$at.$$" && mkdir -p "$cache" && cp -r "$1/outputs" "$at.$$" && mv -T "$at.$$" "$at" 2> /dev/null ||
            rm -rf "$at.$$"
    fi
    rm -rf "$1/outputs" && cp -r "$at" "$1/outputs"
}

# same.sh --one NET CONFIG ISAS OPTIONS: a line each for what is the same, or not, in RESULTS/...
if [ "${1:-}" = --one ]; then
    net=$2 config=$3 isas=$4
    shift 4
    options=$*
    type=f32
    [ "$config" != u8 ] || type=u8
    label=$net.$config.$isas
    work=$out/work/$(echo "$label" | tr '/,' '--')
    mkdir -p "$work" && cd "$work" || exit 1
    result() { printf '%s\t%s\t%s\n' "$1" "$label" "$2"; }
    for side in old new; do
        if [ ! -f "$out/models-$side/$net.net" ]; then
            result skipped "the $side tree has no models/$net.net"
        elif ! emit $side || ! compute $side; then
            result failed "$side: $(head -n 1 $side/log)"
        else
            continue
        fi
        cd "$out" && rm -rf "$work"
        exit 0
    done
    for file in old/outputs/*.*; do
        name=$(basename "$file")
        if text=$("$out/compare" "$file" "new/outputs/$name"); then
            result same "$name"
        else
            result differs "$name: $text"
        fi
    done
    [ "$(ls old/outputs)" = "$(ls new/outputs)" ] || result differs "the outputs are not as many"
    result bytes "$(cat old/outputs/bytes new/outputs/bytes | tr '\n' ' ')"
    cd "$out" && rm -rf "$work"
    exit 0
fi

# ---- what is asked for ----

[ $# -ge 1 ] || usage
case $1 in -*) usage ;; esac
old_rnc=$(cd "$(dirname "$1")" && pwd)/$(basename "$1")
shift
[ -x "$old_rnc" ] || { echo "same.sh: there is no program $old_rnc" >&2; exit 2; }
old_src=
case ${1:--} in
-*) ;;
*)
    old_src=$(cd "$1" && pwd) || exit 2
    shift
    ;;
esac
only='' configs='' isas='' random=10 jobs=$(nproc 2> /dev/null || echo 1)
while [ $# -gt 0 ]; do
    [ $# -ge 2 ] || usage
    case $1 in
    --models) only=$2 ;;
    --configs) configs=$2 ;;
    --isa) isas=$2 ;;
    --random) random=$2 ;;
    --jobs) jobs=$2 ;;
    *) usage ;;
    esac
    shift 2
done
if [ -z "$old_src" ]; then
    old_src=$(dirname "$old_rnc")
    while [ ! -f "$old_src/runtime/rncrt.h" ]; do
        [ "$old_src" != / ] || { echo "same.sh: where is the tree of $old_rnc?" >&2; usage; }
        old_src=$(dirname "$old_src")
    done
fi
CC=${CC:-cc}
export CC RNC_SRCDIR="$src" RNC_BUILDDIR="$build" RNC="$rnc" RNC_TEST_OUT="${out%/same}" old_rnc old_src

# ---- both sides: runtime, models ----

rm -rf "$out/work" "$out/results"
cd "$out" || exit 1
for side in old new; do
    case $side in
    old) tree=$old_src ;;
    *) tree=$src ;;
    esac
    rm -rf "runtime-$side" "models-$side"
    mkdir "runtime-$side" || exit 1
    for file in "$tree"/runtime/*.c; do
        $CC -O1 -I"$tree/runtime" -I"$tree" -c "$file" -o "runtime-$side/$(basename "$file" .c).o" ||
            { echo "same.sh: the $side runtime does not compile" >&2; exit 2; }
    done
    cat "$tree"/runtime/*.[ch] | sha256sum > "runtime-$side.sum"
    cp -r "$tree/models" "models-$side" && chmod -R u+w "models-$side" || exit 1
    for file in $(find "models-$side" -name '*.net'); do
        sed '/^ *softmax$/d; s/ *; *softmax *$//' "$file" > file.tmp && mv file.tmp "$file"
    done
    i=0
    while [ $i -lt "$random" ]; do
        i=$((i + 1))
        awk -v seed=$i -f "$here/same/network.awk" > "models-$side/random$i.net"
    done
done
$CC -O1 "$here/same/compare.c" -o compare -lm || exit 2
[ -n "$isas" ] || isas=$(isas | paste -s -d ,)
[ -n "$isas" ] || exit 2

# ---- the cases ----

everything=speed,balanced,size,exact,batch,turns,u8
[ -z "${RNC_TEST_FULL:-}" ] || { alone=$(echo "$isas" | tr , ' '); every=all; }

# line WORD...: the words; no blank at the end, which xargs would take to go on.
line() { echo "$*" | sed 's/ *$//'; }

# wanted NET: whether --models has it
wanted() {
    case ",${only:-$1}," in
    *",$1,"*) return 0 ;;
    esac
    case ,$only,$1 in
    *,random,*random[0-9]*) return 0 ;;
    esac
    return 1
}

{
    models
    [ -z "${RNC_TEST_FULL:-}" ] || models | sed -n 's/^\([a-z0-9_]*\) .*size=65x49.*/\1 one -D size=224x224/p'
    i=0
    while [ $i -lt "$random" ]; do
        i=$((i + 1))
        echo "random$i all"
    done
} > networks
while read -r net how options; do
    wanted "$net" || continue
    [ "${every:-$how}" = all ] && list=$everything || list=speed
    for config in $(echo "${configs:-$list}" | tr , ' '); do
        options_of "$config" > /dev/null || exit 2
        case $options,$config in
        *size=224*,speed | *size=224*,balanced) ;;
        *size=224*) continue ;;
        esac
        line "$net $config $isas $options"
        case $isas in
        *,*) for isa in ${alone:-}; do line "$net $config $isa $options"; done ;;
        esac
    done
done < networks > cases || exit 2
[ -s cases ] || { echo "same.sh: no network is called '$only'" >&2; exit 2; }

xargs -P "$jobs" -L 1 sh "$here/same.sh" --one < cases > results

# ---- what came of it ----

count() { cut -f 1 results | grep -cx "$1"; }
for what in differs failed; do
    sed -n "s/^$what	\(.*\)	\(.*\)/FAIL \1: \2/p" results | sort
done
sed -n 's/^skipped	\(.*\)	\(.*\)/skipped: \1: \2/p' results | sort
awk -F '\t' '$1 == "bytes" {
        split($3, b, " ")
        if (b[3] > b[1] * 1.001) printf "%s: the arena has %d bytes and had %d (%+.1f %%)\n", $2, b[3], b[1], (b[3] / b[1] - 1) * 100
        if (b[4] > b[2] * 1.001) printf "%s: the weights have %d bytes and had %d (%+.1f %%)\n", $2, b[4], b[2], (b[4] / b[2] - 1) * 100
    }' results | sort
# What is not there failed: an interrupted job says nothing.
cut -f 2 results | sort -u > done
lost=$(awk '{ print $1 "." $2 "." $3 }' cases | sort -u | comm -23 - done | wc -l)
[ "$lost" -eq 0 ] || echo "FAIL $lost programs say nothing"
passed=$(count same)
failed=$(($(count differs) + $(count failed) + lost))
echo "$(cut -d ' ' -f 1 cases | sort -u | wc -l) networks, $(cut -d ' ' -f 2 cases | sort -u | wc -l) configurations, $(cut -d ' ' -f 3 cases | sort -u | wc -l) lists of instruction sets ($isas): $(wc -l < cases) programs of each side; of their outputs, each by each instruction set, $passed have the same bits, $(count differs) have not"
finish
