#!/bin/sh
# cli.sh: the rnc program: exit statuses, what goes where, outputs whole or not at
# all, eval and verify.
. "$(dirname "$0")/lib.sh"
rm -rf "$out" && mkdir -p "$out" && cd "$out" || exit 1
export XDG_CACHE_HOME="$PWD/cache" # nothing of the user's

. "$src/tests/expect.sh"

# rnc verify builds one program as it does without a test: kept/.
plain=${CC:-cc}
compiler cc-level $(level -O2) || exit 1
export CC="$out/cc-level"

cat > tiny.net << 'EOF'
net tiny(classes = 10) {
  input image[3, 9, 7]
  conv 3x3 16 ; bn ; relu
  avgpool global ; flatten ; dense classes
  softmax
  output probabilities
}
EOF
printf 'net broken {\n  input image[3, 8, 8]\n  cnov 3x3 16\n  output y\n}\n' > broken.net

# ---- help, version, usage ----

run 0 help --help
says out 'usage: rnc [compile] FILE.net'
says out '--single-file'
empty err
for command in eval verify tune import guess fmt convert export summary graph data train curves doc; do
    run 0 "help of $command" $command --help
    says out "usage: rnc $command"
    cp out long
    run 0 "help, then $command" help $command
    if cmp -s out long; then passed=$((passed + 1)); else failed=$((failed + 1)); echo "FAIL rnc help $command"; fi
done
run 2 'help of no command' help tran
says err "unknown command 'tran'; did you mean 'train'?"
empty out
run 0 version --version
says out 'rnc '
run 2 'no arguments'
says err 'rnc: error: no network is given'
empty out
run 2 'unknown option' tiny.net --emebd file
says err "unknown option '--emebd'; did you mean '--embed'?"
says err "'rnc --help' says how it is used"
run 2 'unknown option of a command' train tiny.net --epoch 3
says err "unknown option '--epoch'; did you mean '--epochs'?"
says err "'rnc train --help' says how it is used"
run 2 'bad value' tiny.net --batch many
run 2 'unknown machine' tiny.net --machine z80
says err "'z80' is no value for --machine"
says err 'cortex-a76, native or measure'
run 2 'unknown number' tiny.net --machine zen3,l4=5
says err "'l4=5' is no number of a machine for --machine"
says err 'the numbers of a machine are avx512, avx2,'
run 2 'bad number' tiny.net --machine l2=fast
says err 'l2 is from 0.1 to 100000'
run 2 'output without .c' tiny.net -o tiny
run 2 'bad --init' tiny.net --init hee:1

# ---- data for training ----

# record LABEL: a picture of CIFAR-10's binary files, black.
record() {
    printf "\\$1"
    head -c 3072 /dev/zero
}
mkdir -p pictures broken
for i in 0 1 2 3 4 5 6 7 10 11; do record "$i"; done > pictures/test_batch.bin
printf '%s\n' air auto bird cat deer dog frog horse ship truck > pictures/batches.meta.txt
run 0 'data' data pictures --part test
says out 'pictures: 10 pictures of 32 x 32, 3 channels, 10 classes'
says out '      9  truck         1'
empty err
run 0 'its cache' data pictures --part test -o p.cache -q --size 8x4 --threads 2
says out 'pictures: 10 pictures of 4 x 8, 3 channels'
says out 'wrote p.cache: '
there p.cache
run 0 'its cache again' data pictures --part test -o p.cache -q --size 8x4
says out 'up to date: p.cache: '
run 1 'no cache of rnc' data pictures --part test -o tiny.net
says err 'tiny.net: is no cache of rnc, and is not overwritten'
says tiny.net 'net tiny'
printf 'a.png\t0\nb.png\n' > broken/list
run 1 'broken data' data broken/list
says err 'broken/list: error: the data cannot be used: 3 problems'
says err 'broken/a.png: cannot be read: No such file or directory'
says err 'line 2 is not a path, a TAB and a class'
empty out
printf 'net n { input i[3, 8, 8] ; flatten ; dense 2 ; output y }
train t { network n ; epochs 1 ; batch 2 ; optimizer sgd 0.1 }\n' > trained.net
run 1 'both sets at once' train trained.net --data broken/list --validation none -o both
says err 'line 2 is not a path, a TAB and a class'
says err 'none: cannot be read: No such file or directory'
gone both/*.cache
run 1 'part' data pictures
says err 'data_batch_1.bin: cannot be read'
record 12 >> pictures/test_batch.bin
run 1 'a label out of range' data pictures --part test
says err 'sample 10 has the label 10, which is not from 0 to 9'
run 0 'one left out' data pictures --part test --skip-broken
says out 'left out: pictures: sample 10 has the label 10'
run 1 'other classes' data pictures --part test --kind cifar10 --classes air,auto
run 2 'no data' data
says err 'no data is given: name a folder or a file'
run 2 'two' data a b
says err "two data sets are given: 'a' and 'b'"
run 2 'a size' data pictures --size 0
says err "'0' is no value for --size"
run 2 'a kind' data pictures --kind cifar
says err "did you mean 'cifar10'"

# ---- this machine ----

rm -rf cache
run 0 'measure' tiny.net --machine native
says out 'for this machine: --machine avx512='
numbers=$(sed -n 's/^for this machine: --machine //p' out)
mv tiny.c first.c
there cache/rnc/machine-*
run 0 'remembered' tiny.net --machine native
says out "for this machine: --machine $numbers"
cmp -s tiny.c first.c && result good || result bad 'the same machine, another C'
run 0 'numbers elsewhere' tiny.net --machine "$numbers"
cmp -s tiny.c first.c && result good || result bad 'the same numbers, another C'
kept=$(echo cache/rnc/machine-*)
echo damaged > "$kept"
# Some at once, each finding a damaged file: what stays is whole.
for i in 1 2 3; do
    "$rnc" tiny.net --machine native -q -o "race$i.c" &
done
wait
[ "$(wc -l < "$kept")" -eq 3 ] && result good || result bad 'half a file'
[ "$(ls cache/rnc | wc -l)" -eq 1 ] && result good || result bad 'something was left beside it'
rm -rf cache

# ---- compiling ----

run 0 'no weights' tiny.net
says out 'tiny: 1 convolution, 1 dense layer'
says out 'wrote tiny.c, tiny.h; no weights'
empty err
there tiny.c tiny.h
gone tiny.weights ./*.tmp
run 0 'with weights' tiny.net --init he:1 -o sub-tiny.c -q
empty out
there sub-tiny.c sub-tiny.h sub-tiny.weights
run 0 '-D' tiny.net -D classes=100 -o hundred.c -q
grep -q 'HUNDRED_PROBABILITIES_ELEMENTS 100' hundred.h && result good || result bad '-D classes=100'
run 0 'array needs no weights file' tiny.net --init he:1 --embed array -o array.c -q
there array.c array.h
gone array.weights
for dump in ast ir plan report; do
    run 0 "--dump $dump" tiny.net --dump $dump -o dumped.c
    there out
    gone dumped.c dumped.h
done
run 0 '--report text' tiny.net --init he:1 --report text
says out 'arena'
says out 'conv1.weight'
run 0 '--report json' tiny.net --init he:1 --report json
if command -v python3 > /dev/null 2>&1; then
    python3 -m json.tool out > /dev/null 2> err && result good || result bad 'the report is no JSON'
else
    echo 'skipped: no python3 to read the JSON report'
fi

# ---- errors leave nothing ----

mkdir folder.net
run 1 'no such file' none.net
says err "none.net: error: cannot read the network: No such file or directory"
run 1 'a network that ships, elsewhere' folder.net/resnet18.net -I "$src/models"
says err "note: a network of that name is $src/models/resnet18.net"
run 1 'a name that reads like a message' 'rnc: internal error: none.net'
run 1 'a directory' folder.net
run 1 'broken network' broken.net -o broken.c
says err "broken.net:3:3: error:"
gone broken.c broken.h broken.weights
echo old > kept.c
run 1 'broken network, old output' broken.net -o kept.c
[ "$(cat kept.c)" = old ] && result good || result bad 'an old output was touched'
run 1 'no such weights' tiny.net -w none.safetensors -o none.c
gone none.c none.h
run 1 'no folder' tiny.net -o no/such/folder/tiny.c
says err 'no/such/folder/tiny.c: error: cannot write the output: No such file or directory'
mkdir folder.c folder2.h
run 1 'a folder in the way' tiny.net -o folder.c
says err 'it is a directory'
gone folder.h
run 1 'a folder in the way of the header' tiny.net -o folder2.c
gone folder2.c
ln tiny.net linked.c
run 1 'output over an input' tiny.net -o linked.c
says err 'the output would overwrite an input'
cmp -s tiny.net linked.c && result good || result bad 'the input was overwritten'
gone linked.h
# A disk that is full: a limit on the size of files stands in for it.
(
    ulimit -f 20 && exec "$rnc" tiny.net -o full.c
) > out 2> err
status=$? label='full disk'
[ $status -eq 1 ] && result good || result bad "full disk: status $status"
says err 'full.c: error: cannot write the output: File too large'
gone full.c full.h full.c.*
if [ -w /dev/full ]; then
    "$rnc" tiny.net --dump ir > /dev/full 2> err
    status=$? label='stdout full'
    [ $status -eq 1 ] && result good || result bad "stdout full: status $status"
    says err 'cannot write to standard output'
fi
gone ./*.tmp

# ---- eval ----

run 0 'eval' eval tiny.net --init he:1 --random 7 --tensor image --output-dir values
says out 'probabilities [1][10]'
says out 'image [1][3][9][7]'
there values/probabilities.npy values/image.npy
cp out first
cat > windows.net << 'N'
net windows {
  input image[1, 2, 2]
  maxpool 2x2 stride=1
  output y
}
N
run 0 'eval without parameters needs no weights' eval windows.net --random 1
grep -q '^y \[1\]\[1\]' out && result good || result bad 'eval without parameters: y is not there'
run 0 'summary without parameters' summary windows.net
run 1 'eval with parameters needs weights' eval tiny.net --random 1
grep -q "'rnc eval' computes, and needs weights" err && result good || result bad 'eval: no way out'
run 0 'eval --at' eval tiny.net --init he:1 --random 7 --at 0,8
says out 'probabilities [1][10] at 0,8:'
[ "$(wc -w < out)" -eq 6 ] && result good || result bad 'eval --at: two values are left'
for at in 1 0,10 0,0,0 0, ,0 -1 0x1 0,9z; do
    run 1 'eval --at, no such place' eval tiny.net --init he:1 --random 7 --at $at
    says err "--at $at is no place in 'probabilities', which is [1][10]"
done
cp values/probabilities.npy first.npy
run 0 'eval of a file' eval tiny.net --init he:1 --input values/image.npy --tensor image --output-dir again
cmp -s first out && result good || result bad 'eval of a file differs from eval of the same numbers'
cmp -s first.npy again/probabilities.npy && result good || result bad 'the written outputs differ'
run 1 'eval, wrong shape' eval tiny.net --init he:1 --input image=values/probabilities.npy
says err "input 'image' is 1 x 3 x 9 x 7"
run 1 'eval, no such input' eval tiny.net --init he:1 --input imaeg=values/image.npy
says err "did you mean 'image'?"
run 1 'eval, no such tensor' eval tiny.net --init he:1 --random 1 --tensor covn1
says err "did you mean 'conv1'?"
run 1 'eval, no input' eval tiny.net --init he:1
says err "input 'image' has no values"
train='eval tiny.net --init he:1 --train'
run 0 'eval --train' $train --random 7 --tensor labels --tensor image --output-dir step -o g.safetensors
says out 'loss [1][1] '
says out 'gradient conv1.weight ['
there g.safetensors step/loss.npy step/labels.npy
grep '^gradient' out > first
run 0 'eval --train of files' $train --input image=step/image.npy --input labels=step/labels.npy
grep '^gradient' out | cmp -s first - && result good || result bad 'gradients of the same numbers differ'
run 0 'eval --train -q' $train --random 7 -q
grep -q '^gradient' out && result bad 'eval -q prints gradients' || result good
printf '\223NUMPY\001\000\067\000%s\012' "{'descr': '|u1', 'fortran_order': False, 'shape': (1,)}" > ten.npy
run 1 'eval --train, no such class' $train --input image=step/image.npy --input labels=ten.npy
says err "ten.npy: error: input 'labels' takes classes from 0 to 9, and the file holds 10"
run 2 'eval -o, another ending' $train --random 7 -o g.npz
says err "gradients go to a file that ends in .safetensors, not to 'g.npz'"
run 2 '--loss without --train' tiny.net --loss mean_squared_error
says err '--loss says what a step of training is; it needs --train'
run 2 '--loss, smoothing out of range' $train --random 7 --loss cross_entropy:2
says err '--loss takes cross_entropy:X, where X is from 0 to 1, or mean_squared_error'
run 2 '--loss mean_squared_error, smoothed' $train --random 7 --loss mean_squared_error:0.1

# ---- verify ----

run 0 'verify' verify tiny.net --init he:1 --random 3 --verbose --threads 2
says out 'scalar'
says out 'layers agree'
for type in bf16 f16; do
    run 0 "verify, weights of $type" verify tiny.net --init random:1 --weights-type $type
    if ! grep -q "^$type  *weights change the outputs by [1-9]" out; then
        failed=$((failed + 1))
        echo "FAIL verify, weights of $type: it does not say what rounding does"
        cat out
    fi
done
run 1 'verify, nothing is that exact' verify tiny.net --init he:1 --tolerance 0 --isa scalar
says err "differs with scalar"
says err "expected"
# Values of which rounding leaves little: below the least float, and what is left where equals cancel.
printf 'net small {\n  input x[4, 8, 8]\n  mul 1e-20\n  mul 1e-20\n  conv 3x3 8\n  output y\n}\n' > small.net
run 0 'verify, below the least float' verify small.net --init random:1
cat > cancel.net << 'EON'
net cancel {
  input x[4, 8, 8]
  a: conv 3x3 8
  b: affine 1 1e-3 ; c: sub b a
  d: sub 0.001
  output d
  from x ; avgpool global ; conv 1x1 8 ; upsample 3 ; instance_norm
  output same
}
EON
run 0 'verify, what is left of equals' verify cancel.net --init random:1
run 1 'verify, no more than rounding' verify cancel.net --init random:1 --tolerance 1e-8
if [ "$(uname -m)" = x86_64 ] && ! grep -q avx512f /proc/cpuinfo; then
    run 1 'verify, not on this CPU' verify tiny.net --init he:1 --isa avx512
    says err 'this CPU has no avx512'
fi
run 2 'verify, an unknown kind of inputs' verify tiny.net --init he:1 --inputs odd
says err "'odd' is no value for --inputs"
cat > bytes.net << 'EON'
net bytes {
  input image[3, 8, 8] type=u8
  conv 3x3 4
  output y
}
EON
run 1 'verify, bytes have no outliers' verify bytes.net --init he:1 --inputs outliers
says err 'no input is of type f32'
built_by "$plain" run 0 'verify, kept' verify tiny.net --init he:1 --keep kept --isa portable -q
there kept/net_verified.c
CC='no-such-cc' "$rnc" verify tiny.net --init he:1 > out 2> err
status=$? label='no compiler'
[ $status -eq 1 ] && result good || result bad "no compiler: status $status"
says err 'the C compiler failed'

# ---- summary ----

# is_json: what rnc printed last
is_json() {
    if command -v python3 > /dev/null 2>&1; then
        python3 -m json.tool out > /dev/null 2> err && result good || result bad "$label: no JSON"
    else
        echo "skipped: no python3 to read the JSON of: $label"
    fi
}

run 0 'summary' summary tiny.net
says out 'parameters  666: 634 trainable, 32 not trainable'
says out 'arena'
empty err
run 0 'summary as JSON' summary tiny.net --format json
says out '"trainable": 432'
is_json
run 0 'summary against another' summary tiny.net --against tiny.net -D classes=100
says out 'tiny (2)'
says out '+241.3 %'
run 0 'summary against another as JSON' summary tiny.net --against tiny.net -D classes=100 --format json
says out '"parameters": 1530'
is_json
cat > twice.net << 'EOF'
block same { conv 3x3 channels ; relu }
net twice { input image[3, 8, 8] ; stage s { 2 x same } ; output y }
EOF
run 0 'alike blocks once' summary twice.net
says out '2 x same'
run 0 'alike blocks one by one' summary twice.net --expand
says out 's.1 '
run 0 'alike blocks drawn once' graph twice.net
says out '>s.0 .. 1 <'
run 0 'alike blocks drawn one by one' graph twice.net --expand
says out '>s.1 <'
run 1 'summary of a broken network' summary broken.net
says err "broken.net:3:3: error:"
empty out
run 1 'summary against nothing' summary tiny.net --against none.net
says err 'none.net: error: cannot read the network'
empty out
run 1 'summary against a broken network' summary tiny.net --against broken.net
empty out
run 2 'summary, no such format' summary tiny.net --format xml
says err "--format takes text or json"
run 2 'summary of two' summary tiny.net tiny.net

# ---- graph ----

# is_xml: a file
is_xml() {
    if command -v python3 > /dev/null 2>&1; then
        python3 -c 'import sys, xml.dom.minidom; xml.dom.minidom.parse(sys.argv[1])' "$1" 2> err &&
            result good || result bad "$label: no XML in $1"
    else
        echo "skipped: no python3 to read the XML of: $label"
    fi
}

run 0 'graph' graph tiny.net -o tiny.svg
empty out
empty err
there tiny.svg
is_xml tiny.svg
run 0 'graph to standard output' graph tiny.net
cmp -s out tiny.svg && result good || result bad 'what graph prints is not what it writes'
run 0 'graph for Graphviz' graph tiny.net -o tiny.dot
grep -q '^digraph "tiny" {' tiny.dot && result good || result bad 'tiny.dot is no digraph'
run 0 'the format against the name' graph tiny.net -o dot.svg --format dot
cmp -s dot.svg tiny.dot && result good || result bad '--format dot made something else'
# Names that markup could be taken from, if the text form of a network has them.
"$rnc" tiny.net --dump ir | sed 's/softmax1/"<\&>"/g' > odd.ir
run 0 'a name with markup' graph odd.ir -o odd.svg
is_xml odd.svg
run 0 'a name with markup, as text' graph odd.ir -o odd.dot
run 0 'the text form behind the passes' tiny.net --dump ir --after fuse_activation
cp out fused.ir
run 0 'graph of what passes leave' graph fused.ir
says out '>relu</text>'
run 2 'graph, no format' graph tiny.net -o tiny.png
says err "'tiny.png' does not say which format the graph is to have"
says err 'end it in .svg or .dot'
gone tiny.png
run 2 'graph, no such format' graph tiny.net --format png
says err '--format takes svg or dot'
run 1 'graph, no folder' graph tiny.net -o no/such/folder/tiny.svg
says err 'no/such/folder/tiny.svg: error: cannot write the output: No such file or directory'
run 1 'graph over its input' graph tiny.net -o tiny.net --format svg
says err 'the output would overwrite an input'
run 1 'graph of a broken network' graph broken.net -o broken.svg
gone broken.svg ./*.tmp

# ---- convert ----

printf 'naming keras {\n  "conv1" -> "stem"\n  conv.weight -> "kernel" hwio\n  dense.weight -> "kernel" io\n}\n' > keras.net
sed 's/^  input/  use naming keras\n  input/' tiny.net | cat keras.net - > named.net
run 0 'convert' convert tiny.net --init random:3 -o one.safetensors
says out 'wrote one.safetensors: 0 parameters and 0 statistics of files, 7 initialised'
there one.safetensors
run 0 'convert again' convert named.net -w one.safetensors -o two.safetensors -q
empty out
cmp -s one.safetensors two.safetensors && result good || result bad 'what was converted is not the same again'
run 0 'eval of what was converted' eval named.net -w two.safetensors --random 4
cp out first
run 0 'eval of what was drawn' eval tiny.net --init random:3 --random 4
cmp -s first out && result good || result bad 'converted weights compute something else'
run 0 'convert, default name' convert tiny.net --init he:1
there tiny.safetensors
run 2 'convert, another ending' convert tiny.net --init he:1 -o one.st
says err "must end in .safetensors"
run 2 'convert, nothing' convert tiny.net -o none.safetensors
says err 'there is nothing to convert'
run 1 'convert over its input' convert tiny.net -w one.safetensors -o one.safetensors
says err 'the output would overwrite an input'
cmp -s one.safetensors two.safetensors && result good || result bad 'the input was overwritten'
run 1 'convert, other shapes' convert tiny.net -D classes=11 -w one.safetensors -o none.safetensors
says err "tensor 'dense1.weight' has the wrong shape"
gone none.safetensors ./*.tmp
sed 's/ ; bn ; relu/ ; relu/' tiny.net > less.net
run 1 'convert, left over' convert less.net -w one.safetensors -o none.safetensors
says err "tensor 'bn1.weight' belongs to no parameter"
gone none.safetensors

# ---- a network without convolutions ----

printf 'net vector {\n  input a[9]\n  dense 20\n  output y\n}\n' > vector.net
run 0 'verify, a dense layer alone' verify vector.net --init random:1

# ---- parameters that several layers share ----

cat > shared.net << 'N'
net shared {
  input left[3, 9, 9]
  input right[3, 7, 9]
  from left ; tower: conv 3x3 20
  from right ; other: again tower
  add tower tower
  tap sums
  from other ; maxpool global
  output y
}
N
run 0 'shared parameters, converted' convert shared.net --init random:3 -o shared.safetensors
says out 'wrote shared.safetensors: 0 parameters and 0 statistics of files, 1 initialised'
run 0 'shared parameters, bound' shared.net -w shared.safetensors -o shared.c
says out 'bound 1 parameters and 0 statistics, 0 initialised, 0 tensors left over'
run 0 'shared parameters, reported' shared.net -w shared.safetensors --dump report
says out 'in 1 tensors'
run 0 'shared parameters, verified' verify shared.net -w shared.safetensors

# ---- sizes that nobody draws ----

# Linear in time and memory, however long the chain is.
for layer in relu 'conv(1x1, 3)'; do
    printf 'net many {\n  input i[3, 8, 8]\n  20000 x %s\n  output y\n}\n' "$layer" > many.net
    (ulimit -v 700000 && exec "$rnc" graph many.net -o many.svg) 2> err
    if [ $? -eq 0 ] && [ -s many.svg ]; then result good; else result bad "graph of 20000 x $layer"; fi
done

# ---- doc ----

run 0 doc doc
says out 'conv'

finish
