#!/bin/sh
# generated.sh: the C that rnc makes, as its users meet it: compilers and warnings,
# C++, sanitizers, no allocation, nothing written outside, threads, the ways to
# embed weights, one file without a C library, two networks in one program.
# tests/generated/drive.c is the program that runs them.
. "$(dirname "$0")/lib.sh"
cd "$out" || exit 1
strict='-Wall -Wextra -Wpedantic -Wconversion -Werror'

# check LABEL COMMAND...: passes when the command does; shows its output if not.
check() {
    label=$1
    shift
    if "$@" > check.log 2>&1; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        echo "FAIL $label: $*"
        head -n 20 check.log | sed 's/^/    /'
    fi
}

skip() {
    echo "skipped: $*"
}

have() {
    command -v "$1" > /dev/null 2>&1
}

# The networks: small, of different operators, widths that divide by nothing.
cat > chain.net << 'EOF'
net chain {
  input image[3, 13, 11]
  normalize scale=1/255 mean=(0.5, 0.4, 0.3) std=(0.2, 0.3, 0.25)
  conv 3x3 20 stride=2 ; bn ; relu
  maxpool 3x3 stride=2 padding=1
  conv 1x1 33 bias=true ; hard_swish
  avgpool global ; flatten ; dense 7
  softmax
  output probabilities labels="chain.labels"
}
EOF
printf 'cat\ndog "big"\nwhat??/\nt\303\251l\303\251\nback\\slash\n*/\nlast\n' > chain.labels
cat > blocks.net << 'EOF'
block residual(filters, stride = 1) {
  main {
    conv 3x3 filters stride=stride ; bn ; relu
    conv 3x3 filters ; bn
  }
  shortcut {
    if stride != 1 or channels != filters { conv 1x1 filters stride=stride ; bn }
  }
  add ; relu
}
net blocks {
  input image[3, 17, 9]
  conv 5x5 12 ; bn ; relu
  stage layer1 { 5 x residual(12) }
  stage layer2 { 2 x residual(24, stride = 2 then 1) }
  left { conv 3x3 24 groups=24 ; silu }
  right { avgpool 3x3 stride=1 padding=1 }
  concat
  tap middle
  avgpool global ; flatten ; dense 10
  output scores
}
EOF
cat > ports.net << 'EOF'
net ports {
  input image[3, 8, 8] type=u8 order=nhwc
  input extra[5]
  from image
  normalize scale=1/255 mean=(0.5,) std=(0.25,)
  conv 3x3 16 stride=2 ; gelu
  flatten ; dense 9
  out: tanh
  main { from out }
  side { from extra ; dense 9 ; sigmoid }
  mul
  output int
}
EOF
# A batch of which the L2 holds one image: each is a turn of its own.
cat > turns.net << 'EOF'
net turns {
  batch 3
  input image[3, 150, 150] type=u8 order=nhwc
  input extra[5]
  from image
  normalize scale=1/255 mean=(0.5,) std=(0.25,)
  avgpool 5x5 stride=5
  flatten ; dense 9
  out: tanh
  main { from out }
  side { from extra ; dense 9 ; sigmoid }
  mul
  output int
}
EOF
nets='chain blocks ports turns'
# Compiling takes the time: every set of instructions is in one of them, each
# compiler sees each network once; with RNC_TEST_FULL all of all.
isas_of() {
    case $1,$(uname -m),${RNC_TEST_FULL:-} in
    chain,x86_64,) echo avx512,portable ;;
    blocks,x86_64,) echo avx2 ;;
    ports,x86_64,) echo avx2,scalar ;;
    turns,x86_64,) echo portable ;;
    *) echo all ;;
    esac
}
levels_of() {
    case $1,${RNC_TEST_FULL:-} in
    gcc,) echo -O2 ;;
    clang,) echo -O0 ;;
    *) echo -O0 -O1 -O2 -O3 ;;
    esac
}
for net in $nets; do
    check "$net" "$rnc" "$net.net" --init he:1 --isa $(isas_of $net) -q
done

# ---- compilers ----

for net in $nets; do
    for cc in gcc clang; do
        have $cc || { skip "no $cc"; continue; }
        for level in $(levels_of $cc); do
            check "$net, $cc $level" $cc -std=c99 $strict $level -I"$src/runtime" -c $net.c -o $net.o
        done
    done
    for cxx in g++ clang++; do
        have $cxx || { skip "no $cxx"; continue; }
        check "$net, $cxx" $cxx -x c++ -std=c++11 $strict -O0 -I"$src/runtime" -c $net.c -o $net.o
    done
done

# ---- running ----

# drive LABEL NET FLAGS...: builds and runs drive.c with a network; its line is in NET.sum.
drive() {
    label=$1 net=$2
    shift 2
    check "$label" ${CC:-cc} -std=gnu11 -g -I"$src/runtime" -I. -DNET_INFO=${net}_info \
        -DNET_HEADER="\"$net.h\"" "$src/tests/generated/drive.c" $net.c -o drive "$@" -pthread -lm
    check "$label" sh -c "./drive $net.weights > $net.sum"
}

rt=$build/librncrt.a
safe='-fsanitize=address,undefined -fno-sanitize-recover=all'
for file in "$src"/runtime/*.c; do
    check "runtime, $file" ${CC:-cc} -g $safe -c "$file" -o "safe-$(basename "$file" .c).o"
done
for net in $nets; do
    count=-DCOUNT_MALLOC
    case ${RNC_TEST_CFLAGS:-} in
    *sanitize*) count= ;;
    esac
    drive "$net, run" $net -O2 $count ${RNC_TEST_CFLAGS:-} "$rt"
    cp $net.sum $net.plain
    drive "$net, run with ASan and UBSan" $net -O1 $safe safe-*.o
done
have valgrind && [ -n "${RNC_TEST_FULL:-}" ] &&
    drive "chain, built for valgrind" chain -O1 "$rt" &&
    check "chain, valgrind" valgrind -q --error-exitcode=9 ./drive chain.weights

# ---- the same input gives the same bytes, wherever it lies ----

mkdir -p elsewhere/deep
for net in $nets; do
    cp $net.net elsewhere/deep/ && cp chain.labels elsewhere/deep/
    check "$net, made elsewhere" "$rnc" "$out/elsewhere/deep/$net.net" --init he:1 --isa $(isas_of $net) -q \
        -o elsewhere/$net.c
    for suffix in c h weights; do
        check "$net, same .$suffix" cmp $net.$suffix elsewhere/$net.$suffix
    done
    check "$net, no path in it" sh -c "! grep -F '$out' $net.c"
done

# ---- weights in the program ----

for mode in incbin array section; do
    check "chain, $mode" "$rnc" chain.net --init he:1 --isa $(isas_of chain) -q --embed $mode
    extra=
    if [ $mode = section ]; then
        cat > section.s << 'EOF'
    .section .rodata.weights,"a"
    .globl chain_weights
    .balign 64
chain_weights:
    .incbin "chain.weights"
EOF
        extra=section.s
    fi
    check "chain, $mode, warnings" ${CC:-cc} -std=c99 $strict -O0 -I"$src/runtime" -c chain.c -o chain.o
    drive "chain, $mode, run" chain -O1 -DEMBEDDED=chain_weights \
        -DEMBEDDED_BYTES=CHAIN_WEIGHTS_BYTES ${RNC_TEST_CFLAGS:-} $extra "$rt"
    check "chain, $mode, same result" cmp chain.plain chain.sum
done

# ---- one file ----

for net in ${RNC_TEST_FULL:+chain} blocks; do
    check "$net, single file" "$rnc" $net.net --init he:1 --isa $(isas_of $net) -q --single-file --embed array
    for cc in gcc clang; do
        have $cc || continue
        check "$net, single file, $cc" $cc -std=c99 $strict -O2 -ffreestanding -c $net.c -o $net.o
        check "$net, single file, needs only memory and math functions" sh -c "
            ! nm -u $net.o | grep -vwE 'memcpy|memset|memmove|memcmp|fabsf|_GLOBAL_OFFSET_TABLE_'"
    done
    for cxx in g++ clang++; do
        have $cxx || continue
        check "$net, single file, $cxx" $cxx -x c++ -std=c++11 $strict -O0 -c $net.c -o $net.o
    done
    upper=$(echo $net | tr a-z A-Z)
    drive "$net, single file, run" $net -O2 -DSINGLE_FILE -DEMBEDDED=${net}_weights \
        -DEMBEDDED_BYTES=${upper}_WEIGHTS_BYTES ${RNC_TEST_CFLAGS:-}
    check "$net, single file, same result" cmp $net.plain $net.sum
done

# ---- another machine ----

if have aarch64-linux-gnu-gcc && have qemu-aarch64; then
    check "blocks for ARM" "$rnc" blocks.net --init he:1 --isa neon,scalar -q --single-file --embed array
    check "blocks for ARM" aarch64-linux-gnu-gcc -std=c99 $strict -O1 -c blocks.c -o blocks.o
    check "blocks for ARM" aarch64-linux-gnu-gcc -std=gnu11 -O1 -DSINGLE_FILE -I. \
        -DEMBEDDED=blocks_weights -DEMBEDDED_BYTES=BLOCKS_WEIGHTS_BYTES -DNET_INFO=blocks_info \
        -DNET_HEADER='"blocks.h"' "$src/tests/generated/drive.c" blocks.o -static -pthread -lm -o drive-arm
    check "blocks on ARM" qemu-aarch64 ./drive-arm
    # whole networks, every output beside this machine's by plain C: 2e-5 of the largest
    # (without softmax: of weights that nobody trained it would be all alike, or a 1 and zeros)
    cp -r "$src/models" . && chmod -R u+w models
    for file in models/*.net; do
        sed '/^ *softmax$/d' "$file" > file.tmp && mv file.tmp "$file"
    done
    for net in ${RNC_TEST_FULL:+resnet20 mobilenet_v2}; do
        upper=$(echo $net | tr a-z A-Z)
        flags="-std=gnu11 -O2 -DSINGLE_FILE -I. -DEMBEDDED=${net}_weights -DEMBEDDED_BYTES=${upper}_WEIGHTS_BYTES
            -DNET_INFO=${net}_info -DNET_HEADER=\"${net}.h\" $src/tests/generated/outputs.c $net.c -lm"
        case $net in
        resnet20) weights="-w $src/examples/data/resnet20-cifar10.safetensors" isas='3 4' ;;
        *) weights='--init he:1' isas=3 ;;
        esac
        check "$net for ARM" "$rnc" models/$net.net $weights --isa neon,portable,scalar -q \
            --single-file --embed incbin -o $net.c
        check "$net here" ${CC:-cc} $flags -o outputs-here
        check "$net for ARM" aarch64-linux-gnu-gcc $flags -static -o outputs-arm
        check "$net here" sh -c "./outputs-here 5 > $net.here"
        for isa in $isas; do
            check "$net on ARM, ISA $isa" sh -c "qemu-aarch64 ./outputs-arm $isa > $net.arm"
            check "$net on ARM, ISA $isa, same result" sh -c "paste $net.here $net.arm | awk '
                function abs(x) { return x < 0 ? -x : x }
                NF != 2 || \$2 != \$2 + 0 { bad = 1 }
                { if (abs(\$1) > most) most = abs(\$1); if (abs(\$1 - \$2) > off) off = abs(\$1 - \$2) }
                END { print NR \" outputs, largest \" most \", worst difference \" off
                      exit bad || NR == 0 || !(most > 0) || off > 2e-5 * most }'"
        done
        rm -f $net.weights outputs-here outputs-arm
    done
else
    skip "no aarch64-linux-gnu-gcc and qemu-aarch64 to run NEON code"
fi
check "blocks, single file" "$rnc" blocks.net --init he:1 --isa scalar -q --single-file

# ---- two networks in one program ----

check "chain, single file" "$rnc" chain.net --init he:1 --isa scalar -q --single-file

cat > two.c << 'EOF'
#include "chain.h"
#include "blocks.h"
#include <stdio.h>
int main(void)
{
    printf("%s %s %s\n", chain_info.name, blocks_info.name, chain_probabilities_label(1));
    return chain_probabilities_label(7) || chain_probabilities_label(-1) ||
           chain_info.init == blocks_info.init;
}
EOF
check "two, single files" ${CC:-cc} -O0 -I. -c chain.c -o chain.o
check "two, single files" ${CC:-cc} -O0 -I. -c blocks.c -o blocks.o
check "two, single files" ${CC:-cc} -std=c99 $strict -I. two.c chain.o blocks.o -lm -o two
check "two, single files" sh -c './two | grep -Fx "chain blocks dog \"big\""'
for net in chain blocks; do
    check "$net again" "$rnc" $net.net --init he:1 --isa scalar -q
done
check "two, with librncrt" ${CC:-cc} -std=c99 $strict -I. -I"$src/runtime" two.c chain.c blocks.c \
    ${RNC_TEST_CFLAGS:-} "$rt" -lm -pthread -o two
check "two, with librncrt" ./two

# ---- the interface, as it is promised (tests/emit/tiny.h; the hash and the arena
# are the plan's affair) ----

cp "$src/tests/emit/tiny.net" "$src/tests/emit/tiny.labels" .
check "tiny" "$rnc" tiny.net --isa scalar -q
sed -e 's/\(define .*_PLAN_HASH\) .*/\1 .../' -e 's/\(define .*_ARENA_BYTES\) .*/\1 .../' \
    -e '1s/by rnc [^ ]*:/by rnc:/' tiny.h > tiny.golden
[ -n "${RNC_TEST_REFRESH:-}" ] && cp tiny.golden "$src/tests/emit/tiny.h"
check "tiny.h" diff -u "$src/tests/emit/tiny.h" tiny.golden

# ---- steps that repeat are a loop: depth costs no C ----

cp "$src/tests/emit/deep.net" .
check "deep" "$rnc" deep.net --isa scalar -q
sed -n '/deep_run_steps(deep/,/^}/p' deep.c > deep.golden
[ -n "${RNC_TEST_REFRESH:-}" ] && cp deep.golden "$src/tests/emit/deep.run"
check "deep.run" diff -u "$src/tests/emit/deep.run" deep.golden
# Twice two: another method pays where the weights of many blocks leave the caches.
for n in 4 40 200 400; do
    check "deep, $n blocks" "$rnc" deep.net -D n=$n --isa scalar -q -o deep$n.c
done
# Of the C without the table of steps, which has a line each.
lines() {
    sed '/ [a-z0-9]*_info_steps\[\] = {/,/^};/d' "$1" | wc -l
}
check "deep, 40 blocks, as many lines of C" [ "$(lines deep40.c)" -eq "$(lines deep4.c)" ]
check "deep, 400 blocks, as many lines of C" [ "$(lines deep400.c)" -eq "$(lines deep200.c)" ]
check "deep, compiled" ${CC:-cc} -std=c99 $strict -O0 -I"$src/runtime" -c deep400.c -o deep.o

# ---- names that C does not take ----

for name in 50 int a-b.c memcpy; do
    cp chain.net "$name.net"
    check "$name.net" "$rnc" "$name.net" --isa scalar -q
    check "$name.net, compiled" ${CC:-cc} -std=c99 $strict -I"$src/runtime" -c "./$name.c" -o name.o
done

# ---- diagonals are pasted for the ISA that has them alone ----

check "diagonals of portable" "$rnc" chain.net --exact --isa portable -q
check "diagonals of portable, there" grep -q 'conv_diagonals' chain.c
check "diagonals of AVX2" "$rnc" chain.net --exact --isa avx2 -q
check "diagonals of AVX2, not there" sh -c "! grep 'conv_diagonal' chain.c"

# ---- and long activations where a step has one; exp also for softmax ----

cat > plain.net << 'EOF'
net plain {
  input image[3, 13, 11]
  conv 3x3 20 ; relu6
  conv 1x1 8 ; relu
  output features
}
EOF
sed 's/hard_swish/relu/' chain.net > softmax.net
for net in plain softmax chain ports; do
    check "$net, its pieces" "$rnc" $net.net --isa scalar,portable -q
done
check "only relu, no exp" sh -c "! grep 'RNC_KERNEL vf vf_\(exp\|sigmoid\|tanh\|gelu\|long_act\)(' plain.c"
check "softmax, exp" grep -q 'RNC_KERNEL vf vf_exp(' softmax.c
check "softmax, no long activation" sh -c "! grep 'RNC_KERNEL vf vf_\(sigmoid\|tanh\|gelu\|long_act\)(' softmax.c"
for net in chain ports; do
    check "$net, long activations" grep -q 'RNC_KERNEL vf vf_long_act(' $net.c
done
for net in plain softmax; do
    check "$net, compiled" ${CC:-cc} -std=c99 -O2 $strict -I"$src/runtime" -c $net.c -o $net.o
    check "$net, right" "$rnc" verify $net.net --init random:1 --isa scalar,portable
    check "$net, a step is one function" sh -c \
        "nm $net.o | grep ' t .*_step_' && ! nm $net.o | grep ' t [a-z].*_\(scalar\|portable\)' | grep -v '_step_'"
done

# ---- an ISA of another machine alone is refused when the C is compiled ----

other=neon
[ "$(uname -m)" = aarch64 ] && other=avx2
check "foreign ISA" "$rnc" chain.net --isa $other -q
check "foreign ISA, refused" sh -c "${CC:-cc} -I'$src/runtime' -c chain.c -o chain.o 2>&1 | grep 'no instruction set was compiled in'"

finish
