#!/bin/sh
# spills.sh: the hot loops of the C that rnc makes keep their vectors in registers.
#
# ResNet-50 and MobileNetV2 (whose activation has a bound above as well) are compiled by every
# compiler that is here, as their users would, and what objdump prints is read function by function.
# A hot loop is a jump back with no other that multiplies inside, over at least eight vector
# multiply-adds that are a quarter of its instructions: convolutions and dense layers, not the
# polynomials of softmax.  In it no instruction may name both a vector register and memory at the
# stack pointer, or at the frame pointer where the function sets one up.
#
# AVX-512 and AVX2 are held to that.  The vector extension alone leaves the order of
# instructions to the compiler and is held to nothing here (docs/kernels-notes.md).
# Only when RNC_TEST_FULL is set; needs objdump and an x86-64 compiler.
. "$(dirname "$0")/lib.sh"
cd "$out" || exit 1

# Prints "FUNCTION loops=N spills=N" for each function with a hot loop.
cat > spills.awk << 'EOA'
function number(hex,   i, n) {
    n = 0
    for (i = 1; i <= length(hex); i++)
        n = n * 16 + index("0123456789abcdef", substr(hex, i, 1)) - 1
    return n
}
# Whether a multiply-add is among the instructions from..to: a loop in a hot loop that only fetches
# does not make that one an outer loop.
function multiplies(from, to,   i) {
    for (i = from; i <= to; i++)
        if (text[i] ~ /fmadd231ps/)
            return 1
    return 0
}
function finish(   i, j, k, madds, spills, inner, loops, all, stack) {
    loops = all = 0
    stack = frame ? "\\(%r[sb]p[,)]" : "\\(%rsp[,)]"
    for (i = 1; i <= n; i++) {
        if (!(target[i] in at) || at[target[i]] > i)
            continue
        inner = madds = spills = 0
        for (j = at[target[i]]; j <= i; j++) {
            if (j < i && (target[j] in at) && at[target[j]] <= j && at[target[j]] >= at[target[i]] &&
                multiplies(at[target[j]], j))
                inner = 1
            if (text[j] ~ /fmadd231ps/)
                madds++
            if (text[j] ~ /%[xyz]mm/ && text[j] ~ stack)
                spills++
        }
        if (!inner && madds >= 8 && 4 * madds >= i - at[target[i]] + 1) {
            loops++
            all += spills
        }
    }
    if (loops > 0)
        print name, "loops=" loops, "spills=" all
    for (k in at)
        delete at[k]
    n = frame = 0
}
/^[0-9a-f]+ <.*>:$/ {
    finish()
    name = $2
    next
}
/^ *[0-9a-f]+:/ {
    n++
    address = $1
    sub(/:/, "", address)
    at[address] = n
    text[n] = $0
    target[n] = $2 ~ /^j/ ? $3 : ""
    if ($2 == "mov" && $3 == "%rsp,%rbp")
        frame = 1
}
END { finish() }
EOA

# hold NET CC ISA: no spill in any hot loop, and at least 30 such loops.
hold() {
    net=$1 cc=$2 isa=$3 label="$1, $2, $3" loops="$1-$2-$3.loops"
    if ! "$cc" -std=c99 -O2 -I"$src/runtime" -c "$net-$isa.c" -o "$cc-$isa.o" > log 2>&1; then
        failed=$((failed + 1))
        echo "FAIL $label: it does not compile"
        head -n 5 log
        return
    fi
    objdump -d --no-show-raw-insn "$cc-$isa.o" | awk -f spills.awk > "$loops"
    found=$(sed 's/.*loops=\([0-9]*\).*/\1/' "$loops" | awk '{ n += $1 } END { print n + 0 }')
    bad=$(grep -vc 'spills=0$' "$loops")
    if [ "$found" -ge 30 ] && [ "$bad" -eq 0 ]; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        echo "FAIL $label: of $found hot loops, those of $bad functions move vectors to the stack"
        grep -v 'spills=0$' "$loops" | head -n 5 | sed 's/^/    /'
    fi
}

# The reader itself: a loop that spills is found, the same loop without is not.
loop() {
    echo '0000000000000000 <f>:'
    echo '   0:	mov    %rax,%rbx'
    for i in 1 2 3 4 5 6 7 8; do
        echo "  1$i:	vfmadd231ps %ymm$i,%ymm0,%ymm9"
    done
    echo "  20:	vmovaps %ymm9,0x40($1)"
    echo '  28:	jne    11 <f+0x11>'
}
for try in '%rsp 1' '%rdi 0' '%rbp 0'; do
    set -- $try
    if [ "$(loop "$1" | awk -f spills.awk)" = "<f>: loops=1 spills=$2" ]; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        echo "FAIL reading: a store to $1 is not counted $2 times"
    fi
done

if [ -z "${RNC_TEST_FULL:-}" ]; then
    echo "skipped: the loops of whole networks are looked at by make check-full"
elif ! command -v objdump > /dev/null 2>&1 || [ "$(uname -m)" != x86_64 ]; then
    echo "skipped: no objdump, or no x86-64, to look at the loops of whole networks"
else
    for net in resnet50 mobilenet_v2; do
        for isa in avx512 avx2; do
            "$rnc" "$src/models/$net.net" --init he:1 --isa $isa -q -o $net-$isa.c || failed=$((failed + 1))
            for cc in gcc clang clang-19; do
                command -v $cc > /dev/null 2>&1 && hold $net $cc $isa
            done
        done
    done
    rm -f resnet50-*.weights mobilenet_v2-*.weights
fi

finish
