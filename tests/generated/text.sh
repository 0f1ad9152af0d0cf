#!/bin/sh
# text.sh: the text of what rnc writes: the interface as it is promised (tests/emit/), the same
# bytes wherever the input is stored, loops where steps repeat, names, and which pieces of the
# kernels are pasted.  tests/golden.sh --refresh does not know these goldens: RNC_TEST_REFRESH=1
# with this suite rewrites them.
. "$(dirname "$0")/lib.sh"

# ---- the interface; the hash and the arena are the plan's affair ----

cp "$src/tests/emit/tiny.net" "$src/tests/emit/tiny.labels" .
check "tiny" "$rnc" tiny.net --isa scalar -q
sed -e 's/\(define .*_PLAN_HASH\) .*/\1 .../' -e 's/\(define .*_ARENA_BYTES\) .*/\1 .../' \
    -e '1s/by rnc [^ ]*:/by rnc:/' tiny.h > tiny.golden
[ -z "${RNC_TEST_REFRESH:-}" ] || cp tiny.golden "$src/tests/emit/tiny.h"
check "tiny.h" diff -u "$src/tests/emit/tiny.h" tiny.golden

# ---- the same input gives the same bytes, wherever it is stored ----

mkdir -p elsewhere/deep
for net in $nets; do
    emit "$net" $net
    cp $net.net chain.labels elsewhere/deep/
    check "$net, made elsewhere" "$rnc" "$out/elsewhere/deep/$net.net" --init he:1 --isa $(isas_of $net) \
        $(options_of $net) -q -o elsewhere/$net.c
    for suffix in c h weights; do
        check "$net, same .$suffix" cmp $net.$suffix elsewhere/$net.$suffix
    done
    check "$net, no path in it" sh -c "! grep -F '$out' $net.c"
done

# ---- steps that repeat are a loop: depth costs no C ----

cp "$src/tests/emit/deep.net" .
check "deep" "$rnc" deep.net --isa scalar -q
sed -n '/deep_run_steps(struct deep/,/^}/p' deep.c > deep.golden
[ -z "${RNC_TEST_REFRESH:-}" ] || cp deep.golden "$src/tests/emit/deep.run"
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

# ---- layers by bands: those that are alike are one branch ----

mkdir -p banded
emit "bands" bands -o banded/bands.c
sed -n '/^\/\* ---- layers by bands/,/^#undef/p' banded/bands.c > bands.golden
[ -z "${RNC_TEST_REFRESH:-}" ] || cp bands.golden "$src/tests/emit/bands.run"
check "bands.run" diff -u "$src/tests/emit/bands.run" bands.golden
check "bands, in bands of their own" [ "$(grep -c '^static void bands_bands[0-9]*(' banded/bands.c)" -eq 2 ]

# ---- names that C does not take ----

for name in 50 int a-b.c memcpy; do
    cp chain.net "$name.net"
    check "$name.net" "$rnc" "$name.net" --isa scalar -q
    check "$name.net, compiled" ${CC:-cc} -std=c99 $strict -I"$src/runtime" -c "./$name.c" -o name.o
done

# ---- diagonals are pasted for the ISA that has them alone ----

check "diagonals of portable" "$rnc" chain.net --exact --isa portable -q
check "diagonals of portable, there" grep -q 'conv_diagonals(' chain.c
check "diagonals of AVX2" "$rnc" chain.net --exact --isa avx2 -q
check "diagonals of AVX2, not there" sh -c "! grep 'conv_diagonal[a-z_]*(' chain.c"

# ---- long activations are pasted where a step has one; exp also for softmax ----

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

# gcc 12 saw a loop over no lanes at all write 16 GB, where 12 channels are whole vectors but for none.
printf 'net norms {\n  input x[12, 9, 7]\n  group_norm 3\n  instance_norm\n  output y\n}\n' > norms.net
check "norms of 12 channels" "$rnc" norms.net --isa portable -q
check "norms of 12 channels, compiled" ${CC:-cc} -std=c99 -O2 $strict -I"$src/runtime" -c norms.c -o norms.o

# ---- code for narrow panels, and for Winograd's method of plain taps, where a step needs it ----

# pieces LABEL FILTERS NARROW TAPS OPTION...: of a convolution with so many filters; NARROW, TAPS: how many
# instruction sets have them.
pieces() {
    label=$1 filters=$2 narrow=$3 taps=$4
    shift 4
    printf 'net panels {\n  input x[64, 56, 56]\n  conv 3x3 %s ; relu\n  output y\n}\n' "$filters" > panels.net
    check "$label" "$rnc" panels.net --isa scalar,portable --init random:1 -q "$@"
    check "$label, narrow panels" [ "$(grep -c '#define RNC_NARROW 1' panels.c)" -eq "$narrow" ]
    check "$label, their code" [ "$(grep -c 'narrow > 0 && k.p1 > panels.full' panels.c)" -eq $((narrow > 0)) ]
    check "$label, plain taps" [ "$(grep -c 'static const float over\[\]' panels.c)" -eq "$taps" ]
    check "$label, compiled" ${CC:-cc} -std=c99 $strict -O0 -I"$src/runtime" -c panels.c -o panels.o
}
pieces "full panels" 64 0 0
pieces "a narrow panel" 48 2 0
pieces "full panels of plain taps" 64 0 1 --optimize balanced
cat > panels.net << 'EOF'
net panels {
  input x[32, 8, 8]
  conv 3x3 32 ; relu
  avgpool global ; flatten ; dense 32
  output y
}
train taught {
  network panels
  epochs 1
  batch 4
  optimizer sgd 0.1
  loss cross_entropy
}
EOF
check "full panels, trained" "$rnc" panels.net --train --isa scalar,portable -q
check "full panels, trained, compiled" ${CC:-cc} -std=c99 $strict -O0 -I"$src/runtime" -c panels.c -o panels.o

# ---- a normalisation alone: its cuts are pasted without any convolution ----

for norm in 'group_norm 2' instance_norm 'layer_norm image' layer_norm 'l2_normalize image'; do
    printf 'net alone {\n  input x[6, 5, 4]\n  %s\n  output y\n}\n' "$norm" > alone.net
    check "$norm alone" "$rnc" alone.net --init random:1 --isa scalar,portable -q
    check "$norm alone, compiled" ${CC:-cc} -std=c99 $strict -I"$src/runtime" -c alone.c -o alone.o
done

finish
