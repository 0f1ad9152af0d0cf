#!/bin/sh
# seeds.sh DIR: inputs to start from, in DIR/net, DIR/ir, DIR/onnx, DIR/tensors, DIR/tuning, DIR/weights:
# the models and goldens, what rnc makes of a small network, and what is kept in
# tests/fuzz/corpus/.
set -eu
src=${RNC_SRCDIR:-$(cd "$(dirname "$0")/../.." && pwd)}
rnc=${RNC:-$PWD/rnc}
to=$1
rm -rf "$to"
mkdir -p "$to/net" "$to/ir" "$to/onnx" "$to/tensors" "$to/tuning" "$to/weights"
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
for file in "$src"/tests/pass/*.ir "$src"/tests/lower/*.ir; do
    [ ! -f "$file" ] || cp "$file" "$to/ir/$(basename "$(dirname "$file")")-$(basename "$file")"
done
cp "$src"/tests/diag/*.tuning "$to/tuning"
cp "$src"/tests/import/onnx/*.onnx "$to/onnx"
# A real file, its tensors cut off.
head -c 20000 "$src/examples/data/resnet20-cifar10.safetensors" > "$to/tensors/cut.safetensors"
for kind in net ir onnx tensors tuning weights; do
    [ ! -d "$src/tests/fuzz/corpus/$kind" ] || cp "$src/tests/fuzz/corpus/$kind"/* "$to/$kind/"
done
chmod -R u+w "$to"
