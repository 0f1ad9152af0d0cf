#!/bin/sh
# embedding.sh: weights in a file and in the program, in each way of --embed: the same results.
. "$(dirname "$0")/lib.sh"

emit "chain, file" chain
drive "chain, file, run" chain -O0 ${RNC_TEST_CFLAGS:-} "$rt"
cp chain.sum plain.sum
cat > section.s << 'EOF'
    .section .rodata.weights,"a"
    .globl chain_weights
    .balign 64
chain_weights:
    .incbin "chain.weights"
EOF
for mode in incbin array section; do
    emit "chain, $mode" chain --embed $mode
    extra=
    [ $mode != section ] || extra=section.s
    check "chain, $mode, warnings" ${CC:-cc} -std=c99 $strict -O0 -I"$src/runtime" -c chain.c -o chain.o
    drive "chain, $mode, run" chain -O0 -DEMBEDDED=chain_weights \
        -DEMBEDDED_BYTES=CHAIN_WEIGHTS_BYTES ${RNC_TEST_CFLAGS:-} $extra "$rt"
    check "chain, $mode, same result" cmp plain.sum chain.sum
done

finish
