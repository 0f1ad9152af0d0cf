#!/bin/sh
# install.sh: an installation below a prefix that configure has not seen, and one that was moved, have
# the networks that ship.
. "$(dirname "$0")/lib.sh"
rm -rf "$out/install" && mkdir -p "$out/install" && cd "$out/install" || exit 1
weights=$src/examples/data/resnet20-cifar10.safetensors

# finds FOLDER: the installed program there knows the networks and what they include.
finds() {
    "$1/bin/rnc" guess "$weights" > out 2>&1 || { cat out; return 1; }
    grep -q "rnc $1/share/rnc/models/resnet20.net -w" out || { cat out; return 1; }
    printf 'include "lib/residual.net"\nnet a {\n  input x[3, 32, 32]\n  residual(8)\n  output y\n}\n' > a.net
    "$1/bin/rnc" a.net --dump ir > out 2>&1 || { cat out; return 1; }
}
there=$(pwd -P)/first
check "make install prefix=$there" "${MAKE:-make}" -C "$build" install prefix="$there"
check "it finds its models" finds "$there"
check "rncrt.pc" grep -q "^prefix=$there\$" "$there/lib/pkgconfig/rncrt.pc"
mv "$there" "$(pwd -P)/second"
check "it finds its models after it was moved" finds "$(pwd -P)/second"
finish && rm -rf "$out/install"
