#!/bin/sh
# seeds.sh DIR: inputs to start from, in DIR/net, DIR/train, DIR/ir, DIR/onnx, DIR/tensors,
# DIR/tuning, DIR/weights, DIR/data, DIR/keras: the models and goldens, what rnc makes of a small network, and what is kept in
# tests/fuzz/corpus/.
set -eu
src=${RNC_SRCDIR:-$(cd "$(dirname "$0")/../.." && pwd)}
rnc=${RNC:-$PWD/rnc}
to=$1
rm -rf "$to"
mkdir -p "$to/net" "$to/train" "$to/ir" "$to/onnx" "$to/tensors" "$to/tuning" "$to/weights" "$to/data" "$to/keras"
cat > "$to/net/small.net" << 'NET'
block basic(filters, stride = 1) {
  main { conv 3x3 filters stride=stride ; bn ; relu ; conv 3x3 filters }
  shortcut { if stride != 1 or channels != filters { conv 1x1 filters stride=stride } }
  add ; relu
}
net small(blocks = (1, 2)) {
  input image[3, 9, 7] type=u8
  stage layer1 { blocks[0] x basic(5) }
  stage layer2 { blocks[1] x basic(6, stride = 2 then 1) }
  for i in 0..2 { let n = 4 + i * 2 ; conv 1x1 n ; tanh }
  avgpool global ; flatten ; dense 4 ; softmax
  output probabilities
}
NET
"$rnc" "$to/net/small.net" --dump ir > "$to/ir/small.ir"
"$rnc" "$to/net/small.net" --init he:1 -q -o "$to/weights/small.c"
rm "$to/weights/small.c" "$to/weights/small.h"
for file in "$src"/models/*.net "$src"/tests/diag/*.net "$src"/tests/lower/*.net; do
    [ ! -f "$file" ] || cp "$file" "$to/net/$(basename "$(dirname "$file")")-$(basename "$file")"
done
cat > "$to/train/small.net" << 'NET'
net small(classes = 3) {
  input image[3, 6, 6] range=-2..3 typical=1 specials=nan
  stage body { conv 3x3 4 stride=2 padding=same ; bn ; relu }
  maxpool 3x3 stride=1 ; flatten ; dense classes ; softmax
  output probabilities
}
train small_run(epochs = 4, rate = 0.003) {
  network small(classes = 4)
  let warm = epochs // 2
  epochs epochs
  batch 2
  accumulate 3
  loss cross_entropy smoothing=0.1
  optimizer adamw rate like=keras
  decay 5e-4 except=("*.bias", "body.*")
  schedule cosine warmup=warm end=0.01
  if rate > 0.001 { clip norm 5 ; augment flip ; augment crop 1 }
  average 0.99
  freeze "body.bn1.*"
  init glorot_uniform
  validation 0.1 ; stop 3
  seed 7
}
NET
for file in "$src"/models/tutorial/signs.net "$src"/tests/diag/train*.net; do
    cp "$file" "$to/train/$(basename "$file")"
done
for file in "$src"/tests/pass/*.ir "$src"/tests/lower/*.ir; do
    [ ! -f "$file" ] || cp "$file" "$to/ir/$(basename "$(dirname "$file")")-$(basename "$file")"
done
cp "$src"/tests/diag/*.tuning "$to/tuning"
cp "$src"/tests/import/onnx/*.onnx "$to/onnx"
# A real file, its tensors cut off.
head -c 20000 "$src/examples/data/resnet20-cifar10.safetensors" > "$to/tensors/cut.safetensors"
for kind in net train ir onnx tensors tuning weights data keras; do
    [ ! -d "$src/tests/fuzz/corpus/$kind" ] || cp "$src/tests/fuzz/corpus/$kind"/* "$to/$kind/"
done
chmod -R u+w "$to"
