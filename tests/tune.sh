#!/bin/sh
# tune.sh: rnc tune, the tuning files that it writes, and what rnc makes of any.
. "$(dirname "$0")/lib.sh"
rm -rf "$out" && mkdir -p "$out" && cd "$out" || exit 1
export XDG_CACHE_HOME="$PWD/cache" # nothing of the user's

. "$src/tests/expect.sh"

# verified LABEL OPTION...: by rnc verify
compiler cc-level $(level -O2) || exit 1
verified() {
    label=$1
    shift
    built_by "$out/cc-level" run 0 "$label" verify "$@"
}

# ---- tuning files ----

cat > wide.net << 'EOF'
net wide {
  input image[3, 17, 15]
  conv 3x3 32 stride=2 ; relu
  conv 3x3 32 ; relu
  main { conv 3x3 32 }
  shortcut { }
  add ; relu
  conv 3x3 32 groups=32 ; relu
  conv 1x1 64 ; relu
  conv 1x1 80 ; relu
  conv 3x3 48 ; relu
  avgpool global ; flatten ; dense 10
  output y
}
EOF
# Values that no one would choose.
cat > odd.tuning << 'EOF'
rnc tuning 1
conv 3x3 stride 1 groups 1 32x9x8 -> 32x9x8 images 1: winograd 2
  avx512: pixels 5, vectors 8, group 7, unroll 3, memory_broadcasts 33, split 1
  avx2: pixels 32, vectors 3, group 1, unroll 7, prefetch_weights 5
  portable: pixels 1, vectors 7, group 256, unroll 5
  scalar: pixels 3, vectors 5, group 2
conv 3x3 stride 1 groups 1 32x9x8 -> 32x9x8 images 1 residual: direct
  avx512: pixels 31, vectors 2, depth 1, panels 2, split 1
  avx2: pixels 7, vectors 1, depth 40, unroll 5, prefetch_input 1, prefetch_output 1
  portable: pixels 11, vectors 3, depth 65536, panels 1024
conv 3x3 stride 1 groups 32 32x9x8 -> 32x9x8 images 1: direct
  avx512: pixels 32, split 1
  avx2: pixels 5
conv 1x1 stride 1 groups 1 32x9x8 -> 64x9x8 images 1: strassen
  avx512: pixels 9, vectors 1, group 31, unroll 3, split 1
  avx2: pixels 32, vectors 3, group 19, unroll 7, depth 5, prefetch_weights 5
  portable: pixels 2, vectors 8, group 256, unroll 5, depth 8
  scalar: pixels 3, vectors 5, group 2
conv 1x1 stride 1 groups 1 64x9x8 -> 80x9x8 images 1: winograd 4
  avx2: pixels 3
conv 3x3 stride 1 groups 1 80x9x8 -> 48x9x8 images 1: winograd 4 taps
  avx512: group 1, depth 5, prefetch_weights 9
  avx2: group 5, depth 1, prefetch_weights 64
  portable: group 256, depth 65536
dense 48 -> 10 images 1: direct
  avx512: pixels 7, vectors 8, unroll 8
  avx2: pixels 3, vectors 5, unroll 3
dense 81 -> 10 images 1: direct
EOF
verified 'verify with a tuning' wide.net --tuning odd.tuning --init random:3 --threads 3
says out 'layers agree'
for type in bf16 f16; do
    verified "verify with a tuning, weights of $type" wide.net --tuning odd.tuning --init random:3 --threads 3 \
        --weights-type $type
    says out 'layers agree'
    says out "weights change the outputs by"
done
run 0 'compile with a tuning' wide.net --tuning odd.tuning --init he:1 -o tuned.c
says out 'tuning: 7 of 8 rows are of layers of this network'
grep -q '^ \* Tuned: 7 kinds of layers' tuned.c && result good || result bad 'the head does not say it'
grep -q 'odd.tuning' tuned.c && result bad 'the C names the file' || result good
run 0 'compile without' wide.net --init he:1 -o untuned.c
cmp -s tuned.c untuned.c && result bad 'the tuning changed nothing' || result good
cat > strided.net << 'EOF'
net strided {
  input image[64, 9, 7]
  conv 1x1 64 stride=2
  output y
}
EOF
cat > strided.tuning << 'EOF'
rnc tuning 1
conv 1x1 stride 2 groups 1 64x9x7 -> 64x5x4 images 3: strassen
  portable: group 7, depth 9
  avx2: group 60
EOF
verified 'verify, strides by Strassen' strided.net --tuning strided.tuning --init random:3 --batch 3 --threads 3
says out 'layers agree'
run 0 'plan, strides by Strassen' strided.net --tuning strided.tuning --batch 3 --dump plan
says out 'conv_strassen'
cp odd.tuning tuned.h
run 1 'output over the tuning' wide.net --tuning tuned.h -o tuned.c
says err 'the output would overwrite an input'
run 1 'no tuning' wide.net --tuning wide.net -o none.c
says err "wide.net:1:1: error: this is no tuning"
gone none.c none.h

# ---- tune ----

cat > small.net << 'EOF'
net small {
  input image[16, 5, 4]
  conv 1x1 16 ; relu
  avgpool global ; flatten ; dense 8
  output y
}
EOF
# What is measured here tells nothing, so that the compiler need not optimise either.
built_by "$out/cc-level" run 0 'tune' tune small.net --isa scalar --rounds 2 -q --table small.table
empty out
empty err
there small.tuning
[ "$(sed -n 1p small.tuning)" = 'rnc tuning 1' ] && result good || result bad 'tune: the head'
grep -q '^dense 16 -> 8 images 1: direct' small.tuning && result good || result bad 'tune: no row'
# The table has every candidate: the model's choice of a kind first, then more of it.  A busy machine
# cannot tell how long they take, and the table must not say that all are alike.
grep -q '^# --machine avx512=' small.table && result good || result bad 'tune: no machine in the table'
grep -Eq '^dense 16 -> 8 images 1: direct # (1\.000 of |not measured: )' small.table && result good || result bad 'tune: the table'
[ "$(grep -c '^conv' small.table)" -gt "$(grep -c '^conv' small.tuning)" ] && result good || result bad 'tune: a short table'
verified 'what tune wrote' small.net --init random:1 --isa scalar --tuning small.tuning
run 0 'what tune wrote, compiled' small.net --isa scalar --tuning small.tuning -o small.c
says out 'tuning: 2 of 2 rows are of layers of this network'
# Weights of 16 bits: candidates are measured with them, and the file is for a network that has them.
cat > measured-cc << EOF
#!/bin/sh
for word; do
    case \$word in *.c) cp "\$word" measured.c ;; esac
done
exec "$out/cc-level" "\$@"
EOF
chmod +x measured-cc
for type in f32 bf16 f16; do
    rm -f measured.c
    built_by ./measured-cc run 0 "tune, weights of $type" tune small.net --weights-type $type --isa scalar \
        --rounds 2 -q -o $type.tuning
    [ "$(grep -cE '^(conv|dense) ' $type.tuning)" -eq 2 ] && result good || result bad "tune, $type: not two rows"
    grep -q '^#define RNC_HALVES 1' measured.c && found=16 || found=32
    [ $type = f32 ] && bits=32 || bits=16
    [ $found -eq $bits ] && result good || result bad "tune, $type: measured with weights of $found bits"
    verified "what tune wrote for $type" small.net --init random:1 --isa scalar --tuning $type.tuning \
        --weights-type $type
    says out 'layers agree'
    run 0 "what tune wrote for $type, compiled" small.net --isa scalar --tuning $type.tuning --weights-type $type \
        --init he:1 -o $type.c
    says out 'tuning: 2 of 2 rows are of layers of this network'
    grep -q '^#define RNC_HALVES 1' $type.c && found=16 || found=32
    [ $found -eq $bits ] && result good || result bad "compiled, $type: weights of $found bits"
done
# Filters from memory that meet one tile are made in registers: no register tile to write.  The
# large input leaves room for scratch.
cat > taps.net << 'EOF'
net taps {
  input large[64, 64, 64]
  relu
  output z
  input image[512, 4, 4]
  conv 3x3 512
  output y
}
EOF
run 0 'plan, taps in registers' taps.net --isa portable --dump plan
says out 'conv_winograd_taps'
built_by "$out/cc-level" run 0 'tune, taps in registers' tune taps.net --isa portable --rounds 2 -q
grep -q 'pixels 0' taps.tuning && result bad 'tune: a register tile of no pixels' || result good
run 0 'what tune wrote of taps' taps.net --isa portable --tuning taps.tuning -o taps.c
says out 'tuning: 1 of 1 rows are of layers of this network'
CC='no-such-cc' "$rnc" tune small.net -o none.tuning > out 2> err
status=$? label='tune, no compiler'
[ $status -eq 1 ] && result good || result bad "tune, no compiler: status $status"
says err 'the C compiler failed'
says err '$CC names'
printf '#!/bin/sh\nkill -INT $$\nexit 130\n' > interrupted-cc && chmod +x interrupted-cc
mkdir -p temporary
CC=./interrupted-cc TMPDIR=$PWD/temporary "$rnc" tune small.net -q -o none.tuning > out 2> err
status=$? label='tune, interrupted'
[ $status -eq 1 ] && result good || result bad "tune, interrupted: status $status"
says err 'interrupted'
rmdir temporary && result good || result bad 'tune, interrupted: files were left'
run 1 'tune over its input' tune small.net --isa scalar --rounds 2 -q -o small.net
says err 'the output would overwrite an input'
printf 'net flat {\n  input image[3, 4, 4]\n  relu\n  output y\n}\n' > flat.net
run 1 'nothing to tune' tune flat.net -o none.tuning
says err "'flat' has no convolution or dense layer to tune"
run 2 'one round' tune small.net --rounds 1 -o none.tuning
gone none.tuning ./*.tmp

finish
