#!/bin/sh
# arm.sh: the emitted C compiled for 64-bit ARM and run in an emulator; whole networks beside
# this machine's results in make check-full.
. "$(dirname "$0")/lib.sh"

# The default leaves NEON out, and says so where the C is compiled for ARM; what was asked for says nothing.
left_out='^#pragma message("[a-z]* is without NEON here: rnc --isa neon,portable has it'
case $(uname -m) in
aarch64) left_out='^#pragma message("[a-z]* is without AVX2 here: rnc --isa avx512,avx2,portable has it' ;;
esac
for isa in '' '--isa portable' '--isa neon,portable'; do
    check "blocks $isa" "$rnc" blocks.net --init he:1 -q $isa --single-file
    case $isa in '') lines=1 ;; *) lines=0 ;; esac
    check "blocks $isa, notices" sh -c '${CC:-cc} -E -D__aarch64__ blocks.c > blocks.i
        [ "$(grep -c "$1" blocks.i)" -eq "$2" ]' sh "$left_out" $lines
done
if have aarch64-linux-gnu-gcc; then
    check "blocks by the default" "$rnc" blocks.net --init he:1 -q --single-file
    check "blocks by the default, for ARM" sh -c \
        'aarch64-linux-gnu-gcc -std=c99 -Werror -O0 -c blocks.c -o blocks.o 2>&1 | grep "is without NEON here"'
fi

if ! have aarch64-linux-gnu-gcc || ! have qemu-aarch64; then
    skip "no aarch64-linux-gnu-gcc and qemu-aarch64 to run NEON code"
    finish
    exit
fi
check "blocks for ARM" "$rnc" blocks.net --init he:1 --isa neon,scalar -q --single-file --embed array
check "blocks for ARM" aarch64-linux-gnu-gcc -std=c99 $strict -O1 -c blocks.c -o blocks.o
check "blocks for ARM" aarch64-linux-gnu-gcc -std=gnu11 -O1 -DSINGLE_FILE -I. \
    -DEMBEDDED=blocks_weights -DEMBEDDED_BYTES=BLOCKS_WEIGHTS_BYTES -DNET_INFO=blocks_info \
    -DNET_HEADER='"blocks.h"' "$src/tests/generated/drive.c" blocks.o -static -pthread -lm -o drive-arm
check "blocks on ARM" qemu-aarch64 ./drive-arm
# Whole networks, every output beside this machine's by plain C: 2e-5 of the largest.  Without
# softmax: from untrained weights it would be all alike, or a 1 and zeros.
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

finish
