#!/bin/sh
# operators.sh: every operator that `rnc doc` lists has what operators have: a row of the table below with
# what PyTorch, Keras, ONNX and Caffe call it, each of which leads to it in a message, and a layer in a
# network whose C is compared here with the interpreter, layer by layer, on every instruction set of this
# CPU, and which is exported to ONNX.  (That each has a shape rule, an evaluation and a gradient is a
# matter of linking; their values are in tests/unit.)
. "$(dirname "$0")/lib.sh"
rm -rf "$out" && mkdir -p "$out" && cd "$out" || exit 1
compiler cc-level "$(level -O1)"

fail() {
    failed=$((failed + 1))
    echo "FAIL $1"
}

# Names in the order of the frameworks; -: it has none.  A name may belong to several operators.
cat > table << 'T'
normalize Normalize Normalization - -
normalize - Rescaling - -
affine - - ImageScaler Power
scale LayerScale - - Scale
conv Conv2d Conv2D Conv Convolution
conv_transpose ConvTranspose2d Conv2DTranspose ConvTranspose Deconvolution
bn BatchNorm2d BatchNormalization BatchNormalization BatchNorm
group_norm GroupNorm GroupNormalization GroupNormalization -
instance_norm InstanceNorm2d - InstanceNormalization MVN
instance_norm - - MeanVarianceNormalization -
layer_norm LayerNorm LayerNormalization LayerNormalization -
l2_normalize - UnitNormalization LpNormalization -
relu ReLU ReLU Relu ReLU
relu6 ReLU6 relu6 - -
leaky_relu LeakyReLU LeakyReLU LeakyRelu -
prelu PReLU PReLU PRelu PReLU
sigmoid Sigmoid sigmoid Sigmoid Sigmoid
tanh Tanh tanh Tanh TanH
hard_sigmoid Hardsigmoid hard_sigmoid HardSigmoid -
hard_swish Hardswish hard_swish HardSwish -
silu SiLU swish Swish -
gelu GELU gelu Gelu -
elu ELU ELU Elu ELU
selu SELU selu Selu -
softplus Softplus softplus Softplus -
mish Mish mish Mish -
clip Hardtanh clip Clip Clip
maxpool MaxPool2d MaxPooling2D MaxPool Pooling
avgpool AdaptiveAvgPool2d GlobalAveragePooling2D GlobalAveragePool -
dense Linear Dense Gemm InnerProduct
softmax Softmax Softmax Softmax Softmax
log_softmax LogSoftmax log_softmax LogSoftmax -
reduce mean mean ReduceMean Reduction
add add Add Add Eltwise
mul mul Multiply Mul -
sub subtract Subtract Sub -
div div divide Div -
concat cat Concatenate Concat Concat
split chunk split Split Slice
flatten Flatten Flatten Flatten Flatten
unflatten Unflatten - - -
reshape reshape Reshape Reshape Reshape
transpose permute Permute Transpose Permute
zeropad ZeroPad2d ZeroPadding2D - -
crop - Cropping2D - Crop
pad ReflectionPad2d - Pad -
depth_to_space PixelShuffle depth_to_space DepthToSpace -
space_to_depth PixelUnshuffle space_to_depth SpaceToDepth -
channel_shuffle ChannelShuffle - - ShuffleChannel
subsample - - - -
upsample Upsample UpSampling2D Upsample -
resize interpolate Resizing Resize Interp
blurpool BlurPool - - -
delay - - - -
history - - - -
T
"$rnc" doc | sed -n 's/^### //p' | sort > listed
cut -d ' ' -f 1 table | sort -u | diff listed - > missing && [ -s listed ] && passed=$((passed + 1)) || fail "operators.sh's table is not that of rnc doc: $(tr '\n' ' ' < missing)"

# The name leads to the operator: it is a name of it, or the message has it.
while read -r op names; do
    for name in $names; do
        [ "$name" != - ] || continue
        printf 'net n {\n  input x[4, 8, 8]\n  %s\n  output y\n}\n' "$name" > name.net
        if [ "$name" = "$op" ] || { ! "$rnc" name.net -o name.c 2> err && grep -qE "(here it is|\`).*\b$op\b" err; }; then
            passed=$((passed + 1))
        else
            fail "$name, which is $op here:"
            sed 's/^/    /' err
        fi
    done
done < table

# The C of each, against the interpreter.
cp "$src/tests/lower/places.net" "$src/tests/generated/special.net" .
cat > forms.net << 'T'
net forms {
  input image[6, 4, 5]
  from image ; reshape 4 (10, 3) ; tap f_reshape
  from image ; reshape 8 (5, 3) order=nhwc ; tap f_nhwc
  from image ; transpose cwh ; tap f_cwh
  from image ; transpose hwc ; tap f_hwc
  from image ; transpose whc ; tap f_whc
  from image ; upsample (3, 2) ; tap f_upsample
  from image ; subsample (1, 2) ; tap f_subsample
  from image ; scale factor=false bias=true ; prelu shared=true
  output y
}
T
cat places.net special.net forms.net > all.net
for op in $(cat listed); do
    case $op in
    delay | history) continue ;; # tests/streams.sh
    esac
    sed 's/#.*//' all.net | grep -qwE "$op" && passed=$((passed + 1)) || fail "no network of this suite has a layer '$op'"
done
for net in places special forms; do
    check "$net, its C" built_by "$out/cc-level" "$rnc" verify "$net.net" --init random:1 --random 1
    [ -z "${RNC_HAVE_PROTOBUF_C:-}" ] ||
        check "$net, to ONNX" "$rnc" export "$net.net" --init random:1 -q -o "$net.onnx"
done

# prelu after a layer is a part of its step, by every method.
cat > slopes.net << 'T'
net slopes {
  input image[32, 12, 12]
  input thin[3, 21, 19]
  from image ; conv 3x3 40 ; prelu ; tap direct
  from image ; conv 3x3 32 ; bn ; prelu ; tap winograd2
  from image ; conv 3x3 48 stride=2 ; prelu ; tap winograd4
  from image ; conv 3x3 64 ; prelu shared=true ; tap taps
  from image ; conv 1x1 64 ; prelu ; tap strassen
  from image ; conv 3x3 32 groups=32 ; prelu ; tap depthwise
  from image ; conv 3x3 48 groups=2 ; prelu ; tap groups
  from image
  main { conv 3x3 32 ; bn } shortcut { } add ; prelu ; tap residual
  from thin ; conv 7x7 24 stride=2 ; prelu ; tap rows
  flatten ; dense 9 ; prelu
  output dense
}
T
cat > slopes.tuning << 'T'
rnc tuning 1
conv 3x3 stride 1 groups 1 32x12x12 -> 40x12x12 images 1: direct
conv 3x3 stride 1 groups 1 32x12x12 -> 32x12x12 images 1: winograd 2
conv 3x3 stride 2 groups 1 32x12x12 -> 48x6x6 images 1: winograd 4
conv 3x3 stride 1 groups 1 32x12x12 -> 64x12x12 images 1: winograd 4 taps
conv 1x1 stride 1 groups 1 32x12x12 -> 64x12x12 images 1: strassen
conv 7x7 stride 2 groups 1 3x21x19 -> 24x11x10 images 1: winograd 4
T
"$rnc" slopes.net --tuning slopes.tuning --dump plan |
    sed -n 's/^ *[0-9]*  \(conv_[a-z0-9_]*\|depthwise\|dense\|map\)  *\(.*\)/\1 \2/p' > slopes.steps
cat > slopes.wanted << 'T'
conv_direct conv1 + prelu1
conv_winograd conv2 + bn1 + prelu2
conv_winograd conv3 + prelu3
conv_winograd_taps conv4 + prelu4
conv_strassen conv5 + prelu5
depthwise conv6 + prelu6
conv_direct conv7 + prelu7
conv_winograd main.conv1 + main.bn1 + add1 + prelu8
conv_winograd1d conv8 + prelu9
dense dense1 + prelu10
T
check "slopes, the steps" diff slopes.wanted slopes.steps
blas='--backend openblas --isa portable'
[ "${RNC_HAVE_OPENBLAS:-yes}" = yes ] || blas=
for options in '--tuning slopes.tuning' '--tuning slopes.tuning --weights-type f16' \
    '--exact --weights-type bf16' ${blas:+"$blas"}; do
    check "slopes, $options" built_by "$out/cc-level" "$rnc" verify slopes.net --init random:1 --random 1 $options
done
finish
