# lib.sh: what the suites of the emitted C begin with: `. "$(dirname "$0")/lib.sh"`.  They
# work in a folder of their own, which has the networks of this one: small, of different operators,
# with widths that divide by nothing.
. "$(dirname "$0")/../lib.sh"
cd "$out" || exit 1
rm -rf ./*
cp "$src"/tests/generated/*.net "$src"/tests/generated/*.labels . || exit 1
nets='chain blocks ports turns stream bands'
strict='-Wall -Wextra -Wpedantic -Wconversion -Werror'
safe='-fsanitize=address,undefined -fno-sanitize-recover=all'
rt=$build/librncrt.a

# Each set of instructions is in one of the networks; with RNC_TEST_FULL all are in all of them.
isas_of() {
    case $1,$(uname -m),${RNC_TEST_FULL:-} in
    chain,x86_64,) echo avx512,portable ;;
    blocks,x86_64,) echo avx2 ;;
    ports,x86_64,) echo avx2,scalar ;;
    turns,x86_64,) echo portable ;;
    stream,x86_64,) echo avx2,portable ;;
    bands,x86_64,) echo avx2,scalar ;;
    *) echo all ;;
    esac
}

# Layers are computed by bands where the L2 is small and the L3 slow.
options_of() {
    case $1 in
    bands) echo --machine l2-kb=96,l3=0.1 --threads 3 ;;
    esac
}

# emit LABEL NET OPTION...: NET.c, NET.h and NET.weights.
emit() {
    label=$1 net=$2
    shift 2
    check "$label" "$rnc" $net.net --init he:1 --isa $(isas_of $net) $(options_of $net) -q "$@"
}

# drive LABEL NET FLAGS...: builds and runs drive.c with a network; its line is in NET.sum.
drive() {
    label=$1 net=$2
    shift 2
    check "$label" ${CC:-cc} -std=gnu11 -g -I"$src/runtime" -I. -DNET_INFO=${net}_info \
        -DNET_HEADER="\"$net.h\"" "$src/tests/generated/drive.c" $net.c -o drive-$net "$@" -pthread -lm
    check "$label" sh -c "./drive-$net $net.weights > $net.sum"
}
