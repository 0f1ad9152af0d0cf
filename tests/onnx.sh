#!/bin/sh
# onnx.sh [--refresh]: rnc import of models of ONNX (frameworks/make_onnx.py), which are in
# import/onnx/.  Each must compute what ONNX Runtime computed; refused-NAME must be refused with the
# words of refused-NAME.err, which --refresh rewrites: read the difference.
. "$(dirname "$0")/lib.sh"
refresh=no
[ "${1:-}" = --refresh ] && refresh=yes
models=$src/tests/import/onnx
cd "$out" || exit 1

# refused FILE: what rnc says is in a golden file, and nothing is written.
refused() {
    rm -f none.*
    ! (cd "$models" && "$rnc" import "$1" -o "$out/none.net") > said 2>&1 || return 1
    [ ! -f none.net ] && [ ! -f none.safetensors ] || return 1
    golden=$models/${1%.onnx}.err
    [ $refresh = no ] || cp said "$golden"
    diff "$golden" said
}

if [ "${RNC_HAVE_PROTOBUF_C:-yes}" != yes ]; then
    says_so() {
        ! "$rnc" import "$models/old.onnx" -o none.net 2> said && grep -q 'without protobuf-c' said
    }
    check "without protobuf-c, rnc says so" says_so
    finish
    exit
fi

# read_model NAME: NAME.onnx as NAME.net, which must give ONNX Runtime's answers.
read_model() {
    rm -f "$1".*
    "$rnc" import "$models/$1.onnx" -o "$1.net" --check "$models/$1.in.npz" "$models/$1.out.npz"
}

# The emitted C computes what the text says.
compiler cc-level $(level -O2) || exit 1
verify() {
    weights=
    [ ! -f "$1.safetensors" ] || weights="-w $1.safetensors"
    built_by "$out/cc-level" "$rnc" verify "$1.net" $weights --random 1
}

# ONNX's shapes count a last window that begins after the image, which no program computes.
rounded() { "$rnc" export one.net -q -o one.onnx && grep -ac ceil_mode one.onnx; }
for case in '5,5/maxpool 2x2 stride=2 padding=1/0' '5,5/avgpool 1x1 stride=3/0' '6,5/avgpool 3x3 stride=2/1' \
    '22,20/avgpool 3x3 stride=(2,3) padding=1/1'; do
    pool=${case#*/}
    printf 'net one {\n  input x[4,%s]\n  %s ceil_mode=true\n  output y\n}\n' "${case%%/*}" "${pool%/*}" > one.net
    check "export of $case" test "$(rounded)" = "${case##*/}"
done

# A network out and in again computes the same; what ONNX has no words for is refused.
out_and_in() {
    "$rnc" convert "$models/export.net" --init random:1 -q -o one.safetensors &&
        "$rnc" export "$models/export.net" -w one.safetensors -q -o one.onnx &&
        "$rnc" export "$models/export.net" -w one.safetensors -q -o two.onnx && cmp one.onnx two.onnx &&
        "$rnc" import one.onnx -q -o again.net || return 1
    "$rnc" eval "$models/export.net" -w one.safetensors --random 3 > was.txt &&
        "$rnc" eval again.net -w again.safetensors --random 3 > is.txt || return 1
    # Numbers of the file are floats: the last digits differ.
    for shown in was is; do
        awk '{ for (i = 1; i <= NF; i++) printf "%s ", $i ~ /^-?[0-9.]+(e-?[0-9]+)?$/ ? sprintf("%.5g", $i) : $i; print "" }' \
            "$shown.txt" | grep '^[a-z]* \[' > "$shown.shown"
    done
    [ -s was.shown ] || return 1
    diff was.shown is.shown
}
check "a network out and in again" out_and_in
# The text of a network without empty lines and remarks.
text_of() {
    grep -v '^#' "$1" | grep -v '^ *$'
}
# one_layer LAYERS: the same text after it went out and came in again.
one_layer() {
    {
        echo 'net one {'
        echo '  input x[8, 6, 10]'
        echo "$1" | sed 's/ ; /\n/g; s/^/  /; s/\n/\n  /g'
        echo '  output y'
        echo '}'
    } > one.net
    rm -f two.net
    "$rnc" export one.net --init random:1 -q -o one.onnx && "$rnc" import one.onnx -q -o two.net ||
        return 1
    text_of one.net > was.txt
    # The last units of a network are its classes.
    text_of two.net | sed 's/^net .*{$/net one {/; s/dense classes/dense 4/' > is.txt
    diff was.txt is.txt
}
each_layer() {
    lost=0
    while IFS= read -r layers; do
        case $layers in '#'*) continue ;; esac
        one_layer "$layers" || { echo "lost: $layers"; lost=1; }
    done < "$models/operators.txt"
    return $lost
}
check "each operator out and in again, the same text" each_layer
# same_text NAME: a network of models/, out and in again, has the text that itself has.
same_text() {
    rm -f again.net
    "$rnc" "$src/models/$1.net" --dump ir > one.ir && "$rnc" import one.ir -q -o one.net &&
        "$rnc" export "$src/models/$1.net" --init random:1 -q -o one.onnx &&
        "$rnc" import one.onnx -q -o again.net || return 1
    text_of one.net > was.txt
    text_of again.net > is.txt
    diff was.txt is.txt
}
for name in resnet20 squeezenet1_1 siamese shufflenet_v2; do
    check "$name out and in again, the same text" same_text "$name"
done
not_out() {
    ! "$rnc" export "$src/models/tcn.net" --init he:1 -o none.onnx > said 2>&1 && [ ! -f none.onnx ] &&
        grep -q "'history' cannot be written to ONNX: ONNX has nothing like it" said &&
        grep -q 'give the frames as an input' said
}
check "a state is not exported" not_out
# A model of a set of operators that is newer than rnc is read, and rnc says that.
newer() {
    sed 's/\x10\x17/\x10\x18/' "$models/newest.onnx" > newer.onnx && ! cmp -s newer.onnx "$models/newest.onnx" &&
        "$rnc" import newer.onnx -o newer.net --check "$models/newest.in.npz" "$models/newest.out.npz" > said &&
        grep -q 'the model uses the operators of set 24, and rnc knows those up to 23' said
}
check "a newer set of operators" newer

# A tensor that is an output twice has two names.
twice() {
    LC_ALL=C sed -z 's/b\n\n\x0231/b\n\n\x0230/' "$models/numbered.onnx" > twice.onnx &&
        ! cmp -s twice.onnx "$models/numbered.onnx" && "$rnc" import twice.onnx -q -o twice.net &&
        grep -q 'output output_30$' twice.net && grep -q 'output output_30_2$' twice.net
}
check "an output twice" twice

for file in "$models"/*.onnx; do
    name=$(basename "$file" .onnx)
    case $name in
    refused-*) check "$name is refused" refused "$name.onnx" ;;
    *)
        check "$name" read_model "$name"
        check "$name, its C" verify "$name"
        ;;
    esac
done
finish && [ $passed -gt 0 ]
