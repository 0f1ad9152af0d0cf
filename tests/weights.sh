#!/bin/sh
# weights.sh: weights under the names that people's files have, and what rnc says of them.
#
# A file of tensors is made of what a network asks for, `rnc --dump ir`: its names and
# extents, in the order of axes that the naming says, and zeros.
. "$(dirname "$0")/lib.sh"
. "$src/tests/expect.sh"
rm -rf "$out/weights" && mkdir -p "$out/weights" && cd "$out/weights" || exit 1

# asked NET OPTION...: a line each for a parameter, "NAME DIM,DIM...".
asked() {
    "$rnc" "$@" --dump ir | awk '
        /^    [a-z_]+ (\[[0-9]+\])+( |$)/ {
            n = split($2, dim, /[][]+/) - 2
            for (i = 1; i <= n; i++) own[substr(n == 4 ? "oihw" : n == 2 ? "oi" : "o", i, 1)] = dim[i + 1]
            axes = $4 != "" ? $4 : n == 4 ? "oihw" : n == 2 ? "oi" : "o"
            # Keras has the channels of a depthwise kernel where others have what goes in.
            if (axes == "hwio" && own["i"] == 1) { own["i"] = own["o"]; own["o"] = 1 }
            line = ""
            for (i = 1; i <= n; i++) line = line (i > 1 ? "," : "") own[substr(axes, i, 1)]
            name = $3 ~ /^"/ ? $3 : layer "." $1
            gsub(/"/, "", name)
            print name, line
        }
        / = [a-z_]+\(/ { layer = $1 }'
}

# tensors FILE: a safetensors file of the tensors on standard input, all zeros.
tensors() {
    awk 'BEGIN { at = 0; printf "{" }
         { n = 4; split($2, dim, ","); for (i in dim) n *= dim[i]; delete dim
           printf "%s\"%s\":{\"dtype\":\"F32\",\"shape\":[%s],\"data_offsets\":[%d,%d]}", (NR > 1 ? "," : ""), $1, $2, at, at + n
           at += n }
         END { printf "}\n"; print at > "bytes" }' > head.json
    size=$(($(wc -c < head.json) - 1)) word=
    for shift in 0 8 16 24 32 40 48 56; do
        word=$word$(printf '\\%03o' $((size >> shift & 255)))
    done
    { printf "$word"; head -c $size head.json; } > "$1"
    truncate -s $((8 + size + $(cat bytes))) "$1"
}

# binds LABEL TEXT OPTION...: every parameter finds its tensor; TEXT is said, nothing if empty.
binds() {
    label=$1 text=$2
    shift 2
    run 0 "$label" "$@" --dump ir
    if [ -n "$text" ]; then says err "$text"; else empty err; fi
}

cat > tiny.net << 'N'
net tiny {
  input image[3, 8, 8]
  conv 3x3 4 ; bn ; relu
  avgpool global ; flatten ; dense 2
  output y
}
N
asked tiny.net > asked
tensors plain.st < asked
binds 'plain names' '' tiny.net -w plain.st
sed 's/^/module./' asked | tensors module.st
binds 'a prefix' "module.st: note: left out 'module.', which the names begin with" tiny.net -w module.st
sed 's/^bn1/bn1._orig_mod/; s/^/model./' asked | tensors wrapped.st
binds 'wrappers and a prefix' "left out of the names what wraps a model, as 'module.'" tiny.net -w wrapped.st
says err "left out 'model.', which the names begin with"
{ sed 's/^/student./' asked; sed 's/^/teacher./' asked; } | tensors two.st
run 1 'two models' tiny.net -w two.st
says err "the network's names are there several times: after 'student.' and after 'teacher.'"
says err '-w FILE:student takes the former'
binds 'one of two models' '' tiny.net -w two.st:teacher
run 1 'neither of two models' tiny.net -w two.st:nobody
says err "two.st: error: it has no tensors under 'nobody'"
cp plain.st with:colon.st
binds 'a file whose name has a colon' '' tiny.net -w with:colon.st
mv two.st two.safetensors
run 1 'over the file whose part it takes' convert tiny.net -w two.safetensors:student -o two.safetensors
says err 'the output would overwrite an input'
{ grep -v '^bn1' asked; echo conv1.bias 4; } | tensors folded.st
binds 'a folded normalisation' '1 normalisations are folded into their convolutions' tiny.net -w folded.st
grep -v '^bn1.weight' asked | tensors noscale.st
binds 'a normalisation without scale' '1 normalisations have no scale: it is 1' tiny.net -w noscale.st
sed 's/^\(dense1.weight .*\)/\1,1,1/' asked | tensors reshaped.st
binds 'a dense kernel of 1x1' "as 'dense1.weight': [2][4][1][1] for [2][4]" tiny.net -w reshaped.st

# Each naming that ships, found by itself: for a network that does not know it, or for one
# of whose namings it is another.
cat > deep.net << 'N'
include "lib/residual.net"
net deep {
  input image[3, 33, 33]
  conv 7x7 8 stride=2 ; bn ; relu
  stage layer1 { 2 x residual(8, 1, true) }
  stage layer2 { 2 x residual(8, 2 then 1, true) }
  avgpool global ; flatten ; dense 2
  output y
}
N
for naming in torchvision timm huggingface keras keras_applications; do
    sed "s/^net deep {/include \"lib\/namings.net\"\n&\n  use naming $naming/" deep.net > named.net
    asked named.net -I "$src/models" | tensors $naming.st
    # timm has the names of torchvision where nothing squeezes.
    found=$naming
    [ $naming != timm ] || found=torchvision
    binds "--names auto: $naming" "the names are those of the naming '$found'" \
        deep.net -I "$src/models" -w $naming.st --names auto
done
run 1 'another naming, which the net does not know' deep.net -I "$src/models" -w huggingface.st
says err 'these are other names than the network'
says err '--names auto tries all that ship'
tensors nothing.st << 'T'
a.kernel 3,3
b.kernel 4
T
run 1 '--names auto, none fits' deep.net -I "$src/models" -w nothing.st --names auto
says err "with the naming 'torchvision', 0 of them are"
says err 'none of the namings that ship fits'
asked "$src/models/densenet121.net" --names torchvision_2017 | tensors old.st
binds "torchvision's older DenseNet" "the names are those of the naming 'torchvision_2017'" \
    "$src/models/densenet121.net" -w old.st
for net in keras-resnet50 keras-resnet50v2 mobilenet_v2 seresnet50; do
    asked "$src/models/$net.net" | tensors net.st
    binds "$net" '' "$src/models/$net.net" -w net.st
done

# What the tutorial's ResNet-50 is told by the weights of all other ones, and a head for
# other classes.
asked "$src/models/tutorial/resnet50-keras.net" -D narrow=512 | tensors wide.st
run 1 'other extents' "$src/models/tutorial/resnet50-keras.net" -w wide.st
says err "'narrow' of the net is 256; -D narrow=512 may make it fit"
asked "$src/models/resnet8.net" -D classes=37 --labels "" | tensors classes.st
run 1 'other classes' "$src/models/resnet8.net" -w classes.st --labels ""
says err "'classes' of the net is 10; -D classes=37 may make it fit"
# A network that ends earlier needs no weights of what is cut off, and says so of those it finds.
asked tiny.net > asked
grep -v "^dense1" asked | tensors backbone.st
tensors whole.st < asked
run 1 "weights of a backbone" tiny.net -w backbone.st --dump ir
says err "the weights have no tensor 'dense1.weight'"
says err "note: --end flatten1 ends the network before what has no weights"
binds "a backbone" "" tiny.net --end flatten1 -w backbone.st
binds "a backbone of a whole file" \
    "2 tensors are not used: they belong to what --end has cut off" tiny.net --end flatten1 -w whole.st
says out "port out flatten1 = flatten1"
binds "a backbone with taps" "" tiny.net --end flatten1 --tap avgpool1 -w backbone.st
says out "port out avgpool1 = avgpool1"
run 1 "a tap after the end" tiny.net --end avgpool1 --tap dense1 --dump ir
says err "--tap dense1: it comes after the network's end, --end avgpool1"
run 1 "no such end" tiny.net --end layer9 --dump ir
says err "--end layer9: there is no such layer, block or stage"
run 1 "an input for an end" tiny.net --end image --input-type u8 --dump ir
says err "--end image: that is an input"


# Which network is it?  Other depths and classes are found as well.
mkdir -p ship && cp -r "$src/models/." ship
asked "$src/models/resnet34.net" -D classes=37 | tensors pets.st
run 0 "guess" guess -I ship pets.st
says out "resnet34.net           182 of 182 parameters fit"
says out "rnc ship/resnet34.net -D classes=37"
says out "-w pets.st"
# The command is one to paste, whatever the files are called.
mkdir -p "my ship" && cp ship/resnet*.net "my ship" && cp -r ship/lib "my ship" && cp pets.st "anna's pets.st"
run 0 "guess, other names" guess -I "my ship" "anna's pets.st"
says out "rnc 'my ship/resnet34.net' -D classes=37"
says out "-w 'anna'\\''s pets.st'"
pasted=$(sed -n "s/^ *rnc \('my ship.*\)/\1/p" out | head -n 1)
eval "\"\$rnc\" $pasted -q -o pasted.c" 2> err && [ -s pasted.c ] && result good || result bad "not to be pasted: $pasted"
asked "$src/models/keras-resnet50.net" -D layers=101 | tensors deep.st
run 0 "guess of a depth that no file has" guess -I ship -w deep.st
says out "rnc ship/keras-resnet50.net -D layers=101"
run 1 "guess of nothing known" guess -I ship nothing.st
says err "no network that ships has these weights"
model=$src/tests/import/keras/sequential.keras
if "$rnc" import "$model" -q -o whole.net 2> err; then
    run 1 "guess of a whole model" guess -I ship "$model"
    says err "it has a network of its own: 'rnc import $model -o NAME.net' writes that"
    run 1 "guess of Keras' weights" guess -I ship "$src/tests/import/keras/refused-weights.weights.h5"
    check "no word of a network that it has not" sh -c '! grep -q "of its own" err'
    run 1 "a whole model as the weights of what was imported from it" whole.net -w "$model"
    says err "it is a whole model: 'rnc import $model -o NAME.net' writes its network"
else
    skip "guess of a whole model: rnc was built without libhdf5"
fi
run 1 "guess of an ONNX model" guess -I ship "$src/tests/import/onnx/old.onnx"
says err "rnc import FILE -o NET.net writes the network"
run 2 "guess without weights" guess
says err "no weights are given: -w FILE"
run 1 "the weights of another depth" "$src/models/resnet18.net" -w pets.st
says err "note: 'rnc guess pets.st' finds the networks that ship and fit them"
rm -f ./*.st
finish
