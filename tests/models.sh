#!/bin/sh
# models.sh: every network of models/ compiled, its C built and run, and each
# step's result compared with the oracle (rnc verify), at sizes that divide by
# nothing.
#
# A compiler takes fifteen times as long with -O2 as without, and what a network computes does
# not depend on that: ResNet-50 for the best of this CPU's ISAs and MobileNetV2 for one half of them
# are built with -O2, all else without.  With RNC_TEST_FULL set, all are built with -O2, also at the sizes people use; those
# with $few here have all their blocks.
. "$(dirname "$0")/lib.sh"

# models.sh --one LABEL LEVEL NET OPTION...: one of them, built with LEVEL; leaves LABEL.passed or
# says what failed.
if [ "${1:-}" = --one ]; then
    label=$2 net=$4
    CC="$out/cc$3"
    export CC
    shift 4
    if "$rnc" verify "$src/models/$net.net" --init random:1 --random 2 --tolerance 1e-5 "$@" \
        > "$out/$label.log" 2>&1; then
        : > "$out/$label.passed"
    else
        echo "FAIL $label: rnc verify models/$net.net --init random:1 --random 2 --tolerance 1e-5 $*"
        tail -n 5 "$out/$label.log" | sed 's/^/    /'
    fi
    exit 0
fi

# Two halves of the ISAs of this CPU.
half() { isas | awk -v which="$1" 'NR % 2 == which' | paste -s -d ,; }
one=$(half 1) other=$(half 0) best=$(isas | head -n 1)

few='-D blocks=1,2,1,1' some=$one
[ -z "${RNC_TEST_FULL:-}" ] || few='' some=all

# The networks are lines: label, level, model, options of rnc verify (which takes all ISAs of the CPU,
# unless it is told one).  Variants are made of kinds of layers that others have, and are in check-full alone.
variants() {
    cat << C
resnet34 -O0 resnet34 -D size=33x47 --isa portable
resnet101 -O0 resnet101 -D size=33x47 -D blocks=1,2,1,1 --isa portable
resnet152 -O0 resnet152 -D size=33x33 -D blocks=1,3,4,1 --isa portable
wide_resnet50_2 -O0 wide_resnet50_2 -D size=33x47 -D blocks=1,1,1,1 --isa portable
densenet161 -O0 densenet161 -D size=33x47 -D layers=2,2,2,2 --isa portable
densenet169 -O0 densenet169 -D size=33x47 -D layers=2,2,2,2 --isa portable
densenet201 -O0 densenet201 -D size=33x47 -D layers=2,2,2,2 --isa portable
resnext101_32x8d -O0 resnext101_32x8d -D size=33x33 -D blocks=1,1,1,1 --isa portable
keras-resnet50 -O0 keras-resnet50 -D size=65x49 --isa portable
regnet_x_400mf -O0 regnet_x_400mf -D size=33x33 --isa portable
resnet32 -O0 resnet32 --isa portable
resnet44 -O0 resnet44 --isa portable
resnet-v2-50 -O0 resnet-v2 -D size=33x47 --isa portable
resnet-cifar-164b -O0 resnet-cifar -D layers=164 -D option=B -D size=19x13 --isa portable
signs-more -O0 tutorial/signs-more --isa portable
resnet50-keras-batch -O0 tutorial/resnet50-keras --batch 3 --input-type f32 --input-order nchw --isa portable
plain50-keras -O0 tutorial/plain50-keras --isa portable
C
}

cases() {
    cat << C
resnet50 -O2 resnet50 -D size=65x49 --isa $best
resnet50-other -O0 resnet50 -D size=65x49 $few --isa all
mobilenet_v2 -O2 mobilenet_v2 -D size=65x49 --isa $other
mobilenet_v2-other -O0 mobilenet_v2 -D size=65x49 --isa $one
resnet18 -O0 resnet18 -D size=65x49 --isa portable
resnet18-balanced -O0 resnet18 -D size=65x49 --optimize balanced --isa $some
resnet50-threads -O0 resnet50 -D size=65x49 -D blocks=1,2,1,1 --threads 3 --isa portable
resnet50-batch -O0 resnet50 -D size=33x47 -D blocks=1,2,1,1 --batch 3 --isa portable
resnet50-turns -O0 resnet50 -D size=33x47 --batch 4 --machine cortex-a72 --isa portable --input-type u8 --tap layer2.0.add1
resnet50-u8 -O0 resnet50 -D size=33x33 -D blocks=1,2,1,1 --input-type u8 --input-order nhwc --isa scalar
resnet50-blas -O0 resnet50 -D size=65x49 -D blocks=1,2,1,1 --backend openblas --isa portable
resnet50-bf16 -O0 resnet50 -D size=65x49 -D blocks=1,2,1,1 --weights-type bf16 --exact --isa $some
mobilenet_v2-bands -O0 mobilenet_v2 -D size=65x49 --machine l2-kb=100,l3=0.1 --threads 2 --isa portable
mobilenet_v2-f16 -O0 mobilenet_v2 -D size=65x49 --weights-type f16 --exact
resnext50-bf16 -O0 resnext50_32x4d -D size=65x49 -D blocks=1,2,1,1 --weights-type bf16 --isa portable
densenet121-f16 -O0 densenet121 -D size=33x47 -D layers=2,3,2,2 --weights-type f16 --isa portable --exact
resnext50_32x4d -O0 resnext50_32x4d -D size=65x49 $few --isa portable
convnext_tiny -O0 convnext_tiny -D size=64x32 --isa $some
mobilenet_v3_large -O0 mobilenet_v3_large -D size=65x49 --isa portable
iresnet50 -O0 iresnet50 -D size=48x32 -D blocks=1,1,2,1 --isa portable
efficientnet_b0 -O0 efficientnet_b0 -D size=65x49 --isa portable
seresnet50 -O0 seresnet50 -D size=65x49 $few --isa portable
densenet121 -O0 densenet121 -D size=65x49 --isa portable
squeezenet1_1 -O0 squeezenet1_1 -D size=65x49 --isa portable
keras-resnet50v2 -O0 keras-resnet50v2 -D size=65x49 --isa portable
resnet50d -O0 resnet50d -D size=33x47 -D blocks=1,2,1,1 --isa portable
ecaresnet50d -O0 ecaresnet50d -D size=33x47 -D blocks=1,2,1,1 --isa portable
regnet -O0 regnet -D size=33x47 -D variant=own -D depths=1,2,1,1 -D widths=16,40,48,56 -D group_width=24 -D excite=true --isa portable
regnet_y_400mf -O0 regnet_y_400mf -D size=33x47 --isa portable
shufflenet_v2 -O0 shufflenet_v2 -D size=65x49 --isa portable
googlenet -O0 googlenet -D size=65x49 --isa portable
res2net50 -O0 res2net50 -D size=33x47 -D blocks=1,2,1,1 --isa portable
resnet50_gn -O0 resnet50_gn -D size=33x47 -D blocks=1,2,1,1 --isa portable
resnetv2_50 -O0 resnetv2_50 -D size=33x47 -D blocks=1,2,1,1 --isa portable
resnetv2_50d_gn -O0 resnetv2_50d_gn -D size=33x47 -D blocks=1,2,1,1 --isa portable
cspresnet50 -O0 cspresnet50 -D size=33x47 -D blocks=1,2,1,1 --isa portable
skresnet -O0 skresnet -D size=33x47 -D blocks=1,2,1,1 --isa portable
skresnet-18 -O0 skresnet -D size=33x47 -D layers=18 -D blocks=1,1,1,1 --isa portable
resnest50d -O0 resnest50d -D size=33x47 -D blocks=1,2,1,1 --isa portable
inception_resnet_v2 -O0 inception_resnet_v2 -D size=75x79 -D blocks=1,2,1 --isa portable
fcn_resnet50 -O0 fcn_resnet50 -D size=33x47 -D blocks=1,2,2,1 -D aux=true --isa portable
deeplabv3_resnet50 -O0 deeplabv3_resnet50 -D size=33x47 -D blocks=1,1,2,1 -D rates=2,3,5 --isa portable
unet_resnet34 -O0 unet_resnet34 -D size=33x47 -D layers=18 --isa portable
retinanet_resnet50 -O0 retinanet_resnet50 -D size=65x49 -D blocks=1,1,1,1 -D classes=3 --isa portable
mobilenet_v1 -O0 mobilenet_v1 -D size=65x49 --isa portable
mobilenet_v1_025 -O0 mobilenet_v1_025 -D size=65x49 --isa portable
ds_cnn -O0 ds_cnn
ds_cnn-odd -O0 ds_cnn -D size=37x13 -D filters=13 --isa portable
autoencoder -O0 autoencoder
tcn -O0 tcn
tcn-odd -O0 tcn -D rows=3 -D filters=13 -D dilations=1,5 --batch 3 --isa portable
tcn-bf16 -O0 tcn -D dilations=1,2 --weights-type bf16 --isa portable
siamese -O0 siamese
siamese-odd -O0 siamese -D size=21x17 -D filters=13 --batch 3 --isa portable
resnet8 -O0 resnet8
resnet8-odd -O0 resnet8 -D size=37x29 -D filters=13 --isa portable
resnet20 -O0 resnet20
resnet20-odd -O0 resnet20 -D size=37x29 -D filters=13
resnet56 -O0 resnet56 --isa portable
resnet110 -O0 resnet110 --isa portable
resnet-200 -O0 resnet -D layers=200 -D size=33x33 ${few:+-D blocks=1,12,4,1} --isa portable
resnet-early -O0 resnet -D early_stride=true -D size=33x47 $few --isa portable
resnet-v2-18 -O0 resnet-v2 -D layers=18 -D size=65x49 --isa portable
resnet-cifar-164 -O0 resnet-cifar -D layers=164 --isa portable
resnet-cifar-b -O0 resnet-cifar -D option=B --isa portable
plain -O0 plain -D layers=18 -D size=33x47 --isa portable
plain-cifar -O0 plain-cifar --isa portable
identity-block -O0 tutorial/identity-block
identity-block-2 -O0 tutorial/identity-block-2
convolutional-block -O0 tutorial/convolutional-block
convolutional-block-7 -O0 tutorial/convolutional-block -D f=7 -D filters=5,11,21 -D stride=3
signs -O0 tutorial/signs --isa portable
resnet50-keras -O0 tutorial/resnet50-keras -D end_points=true --isa $some
tutorial-v2 -O0 tutorial/resnet-v2 -D size=65x49 -D end_points=true --isa portable
C
    [ -z "${RNC_TEST_FULL:-}" ] || variants
    [ -z "${RNC_TEST_FULL:-}" ] || for net in resnet18 resnet34 resnet50 resnet101 resnet152 \
        resnext50_32x4d wide_resnet50_2 seresnet50 mobilenet_v2 densenet121 convnext_tiny mobilenet_v3_large \
        efficientnet_b0; do
        echo "$net-224 -O2 $net"
        echo "$net-225x191 -O2 $net -D size=225x191"
    done
    [ -z "${RNC_TEST_FULL:-}" ] || echo "densenet121-224-f16 -O2 densenet121 --weights-type f16 --exact"
    [ -z "${RNC_TEST_FULL:-}" ] || echo "resnet50-balanced -O2 resnet50 --optimize balanced"
}

# $CC as rnc verify calls it, but for the level.
for level in -O0 -O2; do
    compiler "cc$level" $level || exit 1
done
rm -f "$out"/*.passed "$out/cases" || exit 1
if [ "${RNC_HAVE_OPENBLAS:-yes}" = yes ]; then
    cases > "$out/cases"
else
    cases | grep -v openblas > "$out/cases"
    echo "skipped: OpenBLAS is not installed"
fi
[ -z "${RNC_TEST_FULL:-}" ] || { sed 's/ -O0 / -O2 /' "$out/cases" > "$out/full" && mv "$out/full" "$out/cases"; }
export RNC_SRCDIR="$src" RNC="$rnc" RNC_TEST_OUT="${out%/models}"
xargs -P "$(nproc 2> /dev/null || echo 1)" -L 1 sh "$0" --one < "$out/cases"
passed=$(find "$out" -name '*.passed' | wc -l)
failed=$(($(wc -l < "$out/cases") - passed))
# Nobody adds a model and forgets it here.
for file in "$src"/models/*.net "$src"/models/tutorial/*.net; do
    grep -q '^net ' "$file" || continue
    net=${file#"$src/models/"}
    net=${net%.net}
    { cases && variants; } | cut -d ' ' -f 3 | grep -qx "$net" && continue
    failed=$((failed + 1))
    echo "FAIL $net: models/$net.net is not in the list of tests/models.sh"
done
passed=$((passed))
finish
