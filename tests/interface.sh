#!/bin/sh
# interface.sh: the C that rnc makes beside other C: several networks in one translation unit, in
# C and in C++, single files linked into one program, a file that includes itself, runtimes of
# another release.  tests/interface/ has the programs.
. "$(dirname "$0")/lib.sh"
cd "$out" || exit 1
rm -rf ./*
strict='-Wall -Wextra -Wpedantic -Wconversion -Werror'
here=$src/tests/interface
rt=$build/librncrt.a

# refused LABEL TEXT COMMAND...: passes when the command fails and says TEXT.
refused() {
    label=$1 text=$2
    shift 2
    if ! "$@" > check.log 2>&1 && grep -q -e "$text" check.log; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        echo "FAIL $label: does not say '$text': $*"
        head -n 20 check.log | sed 's/^/    /'
    fi
}

# Two networks that share kernels and layers' names, and differ in operators and extents.
cat > first.net << 'EOF2'
net first {
  input image[3, 12, 12] type=u8 order=nhwc
  normalize mean=0.5 std=0.25 scale=1/255
  conv 3x3 16 ; relu
  main { conv 3x3 16 ; relu ; conv 3x3 16 }
  shortcut { }
  add ; relu
  tap middle
  avgpool global ; flatten ; dense 4
  softmax
  output scores labels="first.labels"
}
EOF2
printf 'cat\ndog\nbird\nfish\n' > first.labels
cat > second.net << 'EOF2'
net second {
  input image[3, 12, 12] type=u8 order=nhwc
  normalize mean=0 std=1 scale=1/255
  conv 3x3 24 stride=2 ; gelu
  maxpool 2x2 stride=2
  conv 1x1 8 bias=true ; relu
  flatten ; dense 4
  output scores
}
EOF2
case $(uname -m) in
x86_64) isas=avx2,portable ;;
*) isas=portable,scalar ;;
esac

# ---- several networks in one translation unit, linked with librncrt or as single files ----

# unity LABEL COMPILER FLAGS...: unity.c, which includes both .c files or is linked with them,
# gives the same numbers.
unity() {
    label=$1
    shift
    have $1 || { skip "no $1"; return; }
    check "$label" "$@" $strict -I. -I"$src/runtime" "$here/unity.c" -o unity $library -lm
    check "$label, run" sh -c './unity > unity.out'
    check "$label, separate" "$@" $strict -I. -I"$src/runtime" -DSEPARATE "$here/unity.c" first.c \
        second.c -o separate $library -lm
    check "$label, separate, run" sh -c './separate > separate.out'
    check "$label, the same" cmp unity.out separate.out
    check "$label, has numbers" grep -q '^first 0x' unity.out
}
for mode in "" --single-file; do
    library="-x none $rt -lpthread"
    [ -n "$mode" ] && library=
    check "first $mode" "$rnc" first.net --init he:1 -q --isa $isas --embed array $mode
    check "second $mode" "$rnc" second.net --init he:2 -q --isa $isas --embed array $mode
    if [ -z "$mode" ] || [ -n "${RNC_TEST_FULL:-}" ]; then
        unity "unity $mode, gcc" gcc -std=c11 -O0 -x c
        unity "unity $mode, clang++" clang++ -std=c++11 -O0 -x c++
    fi
    if [ -n "$mode" ] || [ -n "${RNC_TEST_FULL:-}" ]; then
        unity "unity $mode, clang" clang -std=c11 -O1 -x c
        unity "unity $mode, g++" g++ -std=c++11 -O1 -x c++
    fi
done
check "single files export nothing of the runtime" sh -c \
    "${CC:-cc} -c -O0 first.c && ! nm -g first.o | grep ' [A-Z] rnc'"
check "a single file and librncrt" ${CC:-cc} -std=c11 -O0 -I. -I"$src/runtime" -DSEPARATE \
    -include "$src/runtime/rncrt.h" "$here/unity.c" first.c second.c -o separate "$rt" -lpthread -lm
check "a single file and librncrt, run" ./separate

# ---- a file that includes itself finds itself, or says what is wrong ----

check "first" "$rnc" first.net --init he:1 -q --isa $isas
mkdir -p elsewhere/build other
cc="${CC:-cc} -O0 -c -o self.o -I$src/runtime -I$out"
check "from another directory" sh -c "cd elsewhere/build && $cc ../../first.c"
check "by its whole path" sh -c "cd elsewhere && $cc '$out/first.c'"
check "included by a file elsewhere" sh -c "echo '#include \"$out/first.c\"' > other/unit.c && $cc other/unit.c"
check "from standard input, in its directory" sh -c "$cc -x c - < first.c"
check "with -iquote elsewhere" sh -c "$cc -iquote other first.c"
cp first.c other/renamed.c
cp first.h other/
cc="${CC:-cc} -O0 -c -o self.o -I$src/runtime"
refused "renamed" 'first.c includes itself' sh -c "$cc other/renamed.c"
check "renamed, and said so" sh -c "$cc -DFIRST_SOURCE='\"renamed.c\"' other/renamed.c"
refused "from standard input elsewhere" 'first.c includes itself' \
    sh -c "cd elsewhere && $cc -I'$out/other' -x c - < ../first.c"
check "another network of its name" "$rnc" second.net --init he:1 -q --isa $isas -o other/first.c
refused "another file of its name" 'found first is another' \
    sh -c "cd elsewhere && $cc -I'$out/other' -x c - < ../first.c"

# ---- the runtime of another release ----

mkdir -p old
sed 's/define RNCRT_ABI .*/define RNCRT_ABI 999/' "$src/runtime/rncrt.h" > old/rncrt.h
refused "a runtime of another release" 'RNCRT_ABI' sh -c "${CC:-cc} -O0 -c -o self.o -Iold first.c"
sed '/define RNCRT_ABI/d' "$src/runtime/rncrt.h" > old/rncrt.h
refused "a runtime from before there were numbers" 'RNCRT_ABI' \
    sh -c "${CC:-cc} -O0 -c -o self.o -Iold first.c"
check "first, single file" "$rnc" first.net --init he:1 -q --isa $isas --single-file
refused "a single file after a runtime of another release" 'RNCRT_ABI' \
    sh -c "${CC:-cc} -O0 -c -o self.o -include old/rncrt.h first.c"

finish
