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

# unity LABEL COMPILER FLAGS...: unity.c, which includes both .c files, gives the numbers that it has
# where it is linked with them, which are in separate.out.
unity() {
    label=$1
    shift
    have $1 || { skip "no $1"; return; }
    check "$label" "$@" $strict $same -I. -I"$src/runtime" "$here/unity.c" -o unity $library -lm
    check "$label, run" sh -c './unity > unity.out'
    check "$label, the same" cmp unity.out separate.out
    check "$label, has numbers" grep -q '^first 0x' unity.out
}

# separate LABEL COMPILER FLAGS...: separate.out
separate() {
    label="$1, separate"
    shift
    have $1 || { skip "no $1"; return; }
    check "$label" "$@" $strict $same -I. -I"$src/runtime" -DSEPARATE "$here/unity.c" -x c first.c second.c \
        -o separate $library -lm
    check "$label, run" sh -c './separate > separate.out'
}

# The bits of every compiler are the same, so that one of them has to build each network alone.  It
# takes each compiler seconds: half of them have one mode, and in make check-full all have both.
same=-ffp-contract=off
full=${RNC_TEST_FULL:-}
for mode in "" --single-file; do
    library="-x none $rt -lpthread"
    [ -n "$mode" ] && library=
    check "first $mode" "$rnc" first.net --init he:1 -q --isa $isas --embed array $mode
    check "second $mode" "$rnc" second.net --init he:2 -q --isa $isas --embed array $mode
    if [ -z "$mode" ] || [ -n "$full" ]; then
        separate "unity $mode, gcc" gcc -O0 -x c
        unity "unity $mode, gcc" gcc -std=c11 -O0 -x c
        unity "unity $mode, clang++" clang++ -std=c++11 -O1 -x c++
    fi
    if [ -n "$mode" ] || [ -n "$full" ]; then
        separate "unity $mode, g++" g++ -O0 -x c++
        unity "unity $mode, g++" g++ -std=c++11 ${full:+-O1} -x c++
        if [ -n "$full" ]; then
            unity "unity $mode, clang" clang -std=c11 -O1 -x c
        elif have clang; then
            check "unity $mode, clang" clang -std=c11 -x c $strict -I. -I"$src/runtime" -fsyntax-only \
                "$here/unity.c"
        else
            skip "no clang"
        fi
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

# ---- what the header promises of run: its stack, denormal numbers, the steps ----

cat > promises.net << 'EOF2'
net promises {
  input image[4, 40, 36]
  zeropad 1
  conv 1x1 4 groups=4 init=ones
  tap same
  conv 3x3 32 ; relu
  main { conv 3x3 32 ; silu ; conv 1x1 32 }
  shortcut { }
  add ; relu
  maxpool 2x2 stride=2
  conv 1x1 64 stride=2 ; relu
  avgpool global ; flatten ; dense 10
  softmax
  output scores
}
EOF2
check "promises" "$rnc" promises.net --init he:1 -q --isa all --single-file --embed array
check "promises, built" ${CC:-cc} -std=gnu11 -O1 $strict -I. "$here/promises.c" promises.c -o promises -pthread -lm
check "promises, kept" sh -c './promises > steps.txt'
# The table of steps is that of the plan, a line each.
"$rnc" promises.net --dump plan --isa all > plan.txt
check "as many steps as the plan has" sh -c \
    '[ "$(grep -cE "^ +[0-9]+  [a-z]" plan.txt)" -eq "$(wc -l < steps.txt)" ]'
check "a step's figures" grep -Fx \
    'main.conv1 + silu1|conv_winograd|promises.net:7|14708736|204288|204288|147584' steps.txt
check "the last step's" grep -qE '^scores\|output\|promises.net:13\|0\|40\|40\|0$' steps.txt
check "without the table" ${CC:-cc} -std=c99 $strict -DRNC_NO_STEP_TABLE -fsyntax-only promises.c

# ---- a profile of any network ----

check "first" "$rnc" first.net --init he:1 -q --isa $isas
check "profile, built" ${CC:-cc} -std=gnu11 -O0 $strict -I. -I"$src/runtime" -DNET_INFO=first_info \
    -include first.h "$src/examples/profile.c" first.c "$rt" -lm -pthread -o profile
check "profile" sh -c './profile first.weights 3 > profile.txt'
check "profile, a line for each step and two" sh -c \
    '[ "$(wc -l < profile.txt)" -eq $(($(grep -c "RNC_CALL(.*;" first.c) + 2)) ]'
check "profile, a step with its line" grep -q 'conv_direct  *conv1 + relu1  first.net:4' profile.txt

# ---- names: whatever a network, its output and its ports are called, the C compiles ----

names='w pool arena arena_bytes isa isas run_any init_any use_any why_any run_steps step job
    part_of_step expf tanhf nan uint8_t string math stddef stdint int 50 class I complex near
    min errno EOF NAN INFINITY stdout linux unix memcpy index vf vi RNC_PASS rnc_knobs net inputs
    outputs hook context number kind in out before mode'
[ -n "${RNC_TEST_FULL:-}" ] &&
    names="$names $(grep -oE '[A-Za-z_][A-Za-z0-9_]*' promises.c | sort -u)
        $(sed -n 's/^"\(.*\)",$/\1/p' "$src/compiler/emit/taken.def")"
names=$(printf '%s\n' $names | sort -u)
mkdir -p names && cd names || exit 1
for name in $names; do
    printf 'net t {\n  input image[3, 9, 7]\n  conv 3x3 5 ; gelu\n  output y\n}\n' > "$name.net"
    check "$name.net" "$rnc" "$name.net" --isa scalar -q
    check "$name.net, compiled" ${CC:-cc} -std=c99 $strict -fsyntax-only -I. -I"$src/runtime" "./$name.c"
done
# As ports, all in one network; words of the language are no names there.
{
    printf 'net ports {\n  input x_[2, 3, 3]\n  conv 3x3 5\n'
    for name in $names; do
        printf 'net t {\n  input image[2, 3, 3]\n  relu\n  tap %s\n  relu\n  output y_\n}\n' "$name" > port.net
        "$rnc" port.net --dump ast > /dev/null 2>&1 && printf '  relu\n  tap %s\n' "$name"
    done
    printf '  relu\n  output y_\n}\n'
} > ports.net
check "ports, most of the names" [ "$(grep -c tap ports.net)" -gt 35 ]
check "ports" "$rnc" ports.net --init he:1 --isa scalar -q
check "ports, compiled" ${CC:-cc} -std=c99 $strict -fsyntax-only -I. -I"$src/runtime" ports.c
check "ports, as C++" ${CXX:-g++} -x c++ -std=c++11 $strict -fsyntax-only -I. -I"$src/runtime" ports.c
cd ..
check "--name" "$rnc" first.net --init he:1 -q --isa scalar --name other_name -o some.c
check "--name, in the header" grep -q 'void other_name_run(other_name \*net' some.h
refused "--name of no name" "cannot be a name in C" "$rnc" first.net -q --isa scalar --name int -o some.c
check "a name that had to change is said" sh -c \
    "'$rnc' names/int.net --isa scalar -o int.c 2>&1 | grep -q \"C has the network as 'net_int'\""

# ---- structs that other programs are compiled against ----

cat > abi.c << 'EOF2'
#include <rncrt.h>
#define SAME(what, expected) typedef char same_##__LINE__[(what) == (expected) ? 1 : -1]
#define AT(type, member) offsetof(type, member)
enum { P = sizeof(void *) };
#if RNCRT_ABI == 2 && defined(__LP64__)
SAME(sizeof(rnc_weights), 224);
SAME(AT(rnc_weights, why), 32);
SAME(sizeof(rnc_pool), 4 * P);
SAME(sizeof(rnc_port_info), 48);
SAME(AT(rnc_port_info, elem), 8);
SAME(AT(rnc_port_info, labels), 32);
SAME(sizeof(rnc_step_info), 64);
SAME(AT(rnc_step_info, macs), 24);
SAME(AT(rnc_step_info, n_results), 56);
SAME(sizeof(rnc_state_info), 32);
SAME(AT(rnc_state_info, bytes), 24);
SAME(sizeof(rnc_net_info), 152);
SAME(AT(rnc_net_info, steps), 40);
SAME(AT(rnc_net_info, init), 80);
SAME(AT(rnc_net_info, trace), 112);
SAME(AT(rnc_net_info, state_bytes), 120);
SAME(AT(rnc_net_info, init_state), 144);
SAME(RNC_E_MEMORY, 9);
SAME(RNC_E_STATE, 10);
SAME(RNC_ISA_SCALAR, 5);
SAME(RNC_ELEM_BF16, 5);
#endif
EOF2
sed 's/224)/225)/' abi.c > abi-not.c
check "sizes and offsets of this ABI" ${CC:-cc} -std=c99 -fsyntax-only -I"$src/runtime" abi.c
refused "and not others" 'same_' ${CC:-cc} -std=c99 -fsyntax-only -I"$src/runtime" abi-not.c

finish
