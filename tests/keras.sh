#!/bin/sh
# keras.sh [--refresh]: rnc import of models that Keras has saved (frameworks/make_keras.py), which
# are in import/keras/.  Each must compute what Keras computed; refused-NAME must be refused with
# the words of refused-NAME.err, which --refresh rewrites: read the difference.
. "$(dirname "$0")/lib.sh"
refresh=no
[ "${1:-}" = --refresh ] && refresh=yes
models=$src/tests/import/keras
cd "$out" || exit 1
if [ "${RNC_HAVE_HDF5:-yes}" != yes ]; then
    skip "this rnc was built without libhdf5, which reads models of Keras"
    finish
    exit
fi

# read_model FILE NAME: FILE as NAME.net, which must give Keras' answers.
read_model() {
    rm -f "$2".*
    "$rnc" import "$models/$1" -o "$2.net" --check "$models/${1%%.*}.in.npz" \
        "$models/${1%%.*}.out.npz"
}

# same_network NAME OTHER: but for the comment that says what it was made from, and its own name.
same_network() {
    for one in "$1" "$2"; do
        sed '/^#/d; s/^net [a-z_0-9]*/net m/' "$one.net" > "$one.text"
    done
    diff "$1.text" "$2.text" && { [ ! -f "$1.safetensors" ] || cmp "$1.safetensors" "$2.safetensors"; }
}

# The emitted C computes what the text says.
compiler cc-level $(level -O2) || exit 1
verify() {
    weights=
    [ ! -f "$1.safetensors" ] || weights="-w $1.safetensors"
    built_by "$out/cc-level" "$rnc" verify "$1.net" $weights --random 1
}

# refused FILE: what rnc says is in a golden file, and nothing is written.
refused() {
    rm -f none.*
    ! (cd "$models" && "$rnc" import "$1" -o "$out/none.net") > said 2>&1 || return 1
    [ ! -f none.net ] && [ ! -f none.safetensors ] || return 1
    golden=$models/${1%%.*}.err
    [ $refresh = no ] || cp said "$golden"
    diff "$golden" said
}

for file in "$models"/*.keras "$models"/*.h5; do
    model=$(basename "$file") name=$(basename "$file" | tr . _)
    case $model in
    refused-*) check "$model is refused" refused "$model" ;;
    *.keras)
        check "$model" read_model "$model" "$name"
        check "$model, its C" verify "$name" ;;
    *)  # The whole model in HDF5, of Keras 3 or 2, is the same network.
        check "$model" read_model "$model" "$name"
        check "$model is that of ${model%%.*}.keras" same_network "$name" "${model%%.*}_keras" ;;
    esac
done
check "what several layers use is one layer" test "$(grep -c 'normalize scale' axes_keras.net)" = 1
finish && [ $passed -gt 0 ]
