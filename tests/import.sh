#!/bin/sh
# import.sh [--refresh]: models of other tools as .net files, and the layout of those.
#
# Every network of models/ goes out as text (--dump ir), comes in again as another tool's model
# would, and is written with its blocks; rnc compares each written text with the network itself.
# Some of these texts are in import/written/, which --refresh rewrites.
. "$(dirname "$0")/lib.sh"
. "$src/tests/expect.sh"
refresh=no
[ "${1:-}" = --refresh ] && refresh=yes
rm -rf "$out/import" && mkdir -p "$out/import" && cd "$out/import" || exit 1

# as_written NET LINES: comes in again in at most so many lines, and computes the same.
as_written() {
    name=$(basename "$1" .net)
    "$rnc" "$1" --dump ir > "$name.ir" || return
    run 0 "import of $name" import "$name.ir" -q -o "$name-again.net"
    lines=$(wc -l < "$name-again.net")
    check "$name in $2 lines, not $lines" test "$lines" -le "$2"
    check "layout of $name" "$rnc" fmt --check "$name-again.net"
    golden=$src/tests/import/written/$name.net
    if [ -f "$golden" ]; then
        [ $refresh = no ] || cp "$name-again.net" "$golden"
        check "text of $name" diff "$golden" "$name-again.net"
    fi
    check "layers of $name" test "$(grep -c ' nchw\[' "$name.ir")" -eq \
        "$("$rnc" "$name-again.net" --dump ir | grep -c ' nchw\[')"
}
for net in "$src"/models/*.net; do
    case $(basename "$net" .net) in
    siamese) as_written "$net" 50 ;;
    mobilenet_v3_large) as_written "$net" 105 ;;
    resnet-v2 | keras-resnet50v2 | mobilenet_v2 | densenet* | efficientnet_b0 | deeplabv3_resnet50) as_written "$net" 60 ;;
    googlenet | resnetv2_50 | resnetv2_50d_gn | unet_resnet34) as_written "$net" 65 ;;
    inception_resnet_v2) as_written "$net" 130 ;;
    shufflenet_v2) as_written "$net" 52 ;;
    cspresnet50) as_written "$net" 80 ;;
    # parts of a split of which one goes into the next: a block for what no arms say
    res2net50 | resnest50d) as_written "$net" 75 ;;
    # a pyramid: a layer a line
    retinanet_resnet50) as_written "$net" 85 ;;
    *) as_written "$net" 45 ;;
    esac
done

# The layout that the models have.
for net in "$src"/models/*.net "$src"/models/*/*.net; do
    check "layout of $net" "$rnc" fmt --check "$net"
done
# equals FILE TEXT
equals() {
    printf '%s\n' "$2" > wanted
    check "$label: text" diff "$1" wanted
}
printf '# one\n\n\nnet  a{   # two\ninput x[3,8,8]  # three\n  conv   3x3 16;bn;relu # four\n\n  conv(1x1,8 , stride=2);bn\n   output y\n\n}\n' > odd.net
run 0 "fmt" fmt odd.net -o -
equals out '# one

net a {                   # two
  input x[3, 8, 8]        # three
  conv 3x3 16 ; bn ; relu # four

  conv(1x1, 8, stride = 2) ; bn
  output y
}'
# A long line is broken at the same commas again, also after a parenthesis within another.
long=$(printf '%075d' 0 | tr 0 b)
printf 'net a = resnet(%s = (2, 1, 1, 1), classes = 5, size = 32)\n' "$long" > long.net
run 0 "fmt of a long line" fmt long.net
check "layout of a long line" "$rnc" fmt --check long.net
# Comments of a line that is broken, and of the next one, stand where they do the second time.
cat > comments.net << 'EON'
net places {
  input image[8, 9, 8]
  resize (8, 6) mode=bilinear ; resize scale=0.5 mode=nearest corners=asymmetric ; conv 4x4 6 stride=2 # twice
  conv_transpose 2 6 stride=3 padding=same # three times
  output y
}
EON
run 0 "fmt of a long line with comments" fmt comments.net
check "layout of a long line with comments" "$rnc" fmt --check comments.net

# What goes wrong: nothing is written, and the way out is said.
head -c 20000 /dev/zero > zeros.bin
weights=$src/examples/data/resnet20-cifar10.safetensors
wrong() { # LABEL TEXT STATUS OPTION...
    label=$1 text=$2 status=$3
    shift 3
    rm -f none.*
    run "$status" "$label" "$@"
    says err "$text"
    gone none.*
}
wrong "no model" "this is no model that rnc reads" 1 import zeros.bin -o none.net
wrong "no model, compiled" "this is no model that rnc reads" 1 zeros.bin -o none.c
wrong "weights" "these are 97 tensors and no network" 1 import "$weights" -o none.net
wrong "weights, compiled" "'rnc guess $weights' finds the networks" 1 "$weights" -o none.c
wrong "no file" "cannot read it: No such file" 1 import nothing.onnx -o none.net
wrong "no name" "no model is given" 2 import -o none.net
wrong "another name" "must end in .net" 2 import resnet18.ir -o none.txt
wrong "half a check" "--check takes two values: IN.npz OUT.npz" 2 import resnet18.ir -o none.net --check in.npz
wrong "a folder that is not there" "cannot" 1 import resnet18.ir -o no/none.net
"$rnc" "$src/models/resnet8.net" --train --dump ir --labels "" > train.ir
wrong "a backward part" "for which the language has no words" 1 import train.ir -o none.net
printf 'net a {' > broken.net
wrong "fmt of no text" "broken.net:1:" 1 fmt broken.net -o none.net
run 1 "fmt --check" fmt --check odd.net
says err "it is not laid out as 'rnc fmt' does it"

# Models with values, and their outputs as the tool has them.
models=$src/tests/import/keras
if "$rnc" import "$models/sequential.keras" -q -o none.net 2> err; then
    rm -f none.*
    run 0 "check" import "$models/sequential.keras" -o none.net --check "$models/sequential.in.npz" "$models/sequential.out.npz"
    says out "differs by"
    there none.net none.safetensors
    wrong "outputs of others" "and the port 'picture' has 3 channels of 10 x 9" 1 import "$models/sequential.keras" -o none.net \
        --check "$models/sequential.out.npz" "$models/sequence.in.npz" 2> /dev/null
    run 0 "the short way" "$models/sequential.keras" -q -o none.c
    there none.c none.h none.weights
    "$rnc" import "$models/sequential.keras" -q -o two.net && "$rnc" two.net -w two.safetensors -q -o two.c
    check "both ways are one" cmp none.weights two.weights
    wrong "a difference" "is not what the imported network gives" 1 import "$models/sequential.keras" \
        -o none.net --tolerance 1e-30 --check "$models/sequential.in.npz" "$models/sequential.out.npz"
else
    skip "a model of Keras: rnc was built without libhdf5"
fi

# What a framework's code does to pixels before the model is not in its file.
printf 'net raw {\n  input x[3, 8, 8]\n  conv 3x3 4\n  output y\n}\n' > raw.net
"$rnc" raw.net --dump ir > raw.ir
run 0 "pixels as they come" import raw.ir -o raw-again.net
says out "note: it has no 'normalize': pixels of 0..255 go in as they are"
run 0 "pixels that are scaled" import resnet18.ir -o scaled.net
check "no word of pixels" sh -c '! grep -q normalize out'

# A text that somebody has edited since is not lost.
run 0 "once more" import raw.ir -o raw-again.net
check "the same text needs no copy" test ! -e raw-again.net~
echo '# mine' >> raw-again.net
cp raw-again.net mine.net
run 0 "over an edited text" import raw.ir -q -o raw-again.net
says err "the raw-again.net that was there was another text; it is raw-again.net~ now"
check "the edited text" cmp raw-again.net~ mine.net
check "the text of the import" sh -c '! grep -q mine raw-again.net'

# A shortcut that one of three calls has, and another call with as many channels has not.
cat > ghosts.net << 'NET'
block ghost(filters, half, project = false) {
  main {
    conv 1x1 filters ; relu
    conv 1x1 half
    old { }
    new { conv 3x3 half groups=half }
    concat
  }
  shortcut { if project { conv 3x3 channels groups=channels ; conv 1x1 2 * half } }
  add
}
net ghosts {
  input x[8, 6, 6] range=0..1
  ghost(16, 4)
  ghost(20, 6, project = true)
  ghost(24, 6)
  output y
}
NET
"$rnc" ghosts.net --dump ir > ghosts.ir
run 0 "a shortcut that one call has" import ghosts.ir -q -o ghosts-again.net
check "it is a block all the same" grep -q 'project = true' ghosts-again.net

# What goes from one part of a split into the next, with blocks in it.
cat > tangles.net << 'NET'
block inner { main { conv 3x3 channels ; bn ; relu ; conv 3x3 channels ; bn } shortcut { } add ; relu }
block unit(filters) {
  main {
    conv 1x1 filters
    a, b, c, d: split 4
    e: inner
    add e b
    g: inner
    add g c ; inner
    h: inner
    concat h g e d
    conv 1x1 2 * filters ; bn
  }
  shortcut { if channels != 2 * filters { conv 1x1 2 * filters ; bn } }
  add ; relu
}
net tangles {
  input x[8, 6, 6]
  2 x unit(16)
  2 x unit(32)
  output y
}
NET
"$rnc" tangles.net --dump ir > tangles.ir
run 0 "what no arms say, in a block" import tangles.ir -q -o tangles-again.net
check "it is repeated" grep -q '2 x bottleneck(32)' tangles-again.net
check "blocks in it" grep -q 'y1: residual' tangles-again.net

finish
