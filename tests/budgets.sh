#!/bin/sh
# budgets.sh: how large the weights file, the arena and the C may be.  Each row of the first table is
# a network, the most that its packed weights may take for each --optimize, in percent of its trained
# parameters in 32 bits, and the most kilobytes that its arena may take.  Each row of the second is a
# network, the most kilobytes of its C for the instruction sets of x86-64, and other options.  Each row
# of the third is a network with dilated convolutions, the most that its arena may be in percent of the
# bound, for which no zeros around small images may be stored, and other options.  Each row of the
# fourth is a network and likewise the most that the arena of a step of training may be, the images of
# the step, and other options.
. "$(dirname "$0")/lib.sh"
cd "$out" || exit 1

# within LABEL FOUND MOST UNIT
within() {
    if [ -n "$2" ] && [ "$2" -gt 0 ] && [ "$2" -le "$3" ]; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        echo "FAIL $1: ${2:-no number}$4, and $3$4 are the most"
    fi
}

while read -r net speed balanced size arena; do
    "$rnc" summary "$src/models/$net.net" --format json > summary.json 2> err || cat err
    parameters=$(sed -n 's/^  "parameters": *\([0-9]*\).*/\1/p' summary.json)
    bytes=$(sed -n '/^  "arena"/,/}/s/^    "bytes": *\([0-9]*\).*/\1/p' summary.json)
    within "$net, arena" "$((${bytes:-0} / 1000))" "$arena" ' kB'
    for row in speed:$speed balanced:$balanced size:$size; do
        weights=$("$rnc" "$src/models/$net.net" --optimize "${row%:*}" --dump plan 2> err |
            sed -n '2s/.*weights \([0-9]*\) bytes.*/\1/p')
        within "$net, weights for ${row%:*}" "$((${weights:-0} / (${parameters:-1} / 100 * 4)))" "${row#*:}" ' %'
    done
done << 'T'
resnet18 164 101 100 4090
resnet50 143 100 100 5280
resnext50_32x4d 100 100 100 7550
mobilenet_v2 100 100 100 6110
densenet121 159 101 101 7750
seresnet50 141 100 100 7230
resnet20 167 100 100 204
resnet8 154 100 100 206
tutorial/resnet50-keras 101 100 100 399
T

while read -r net most options; do
    # shellcheck disable=SC2086 # none or several
    "$rnc" "$src/models/$net.net" -I "$src/models" --isa avx512,avx2,portable $options --name model -q -o model.c > err 2>&1 || cat err
    within "$net $options, C" "$(($(wc -c < model.c) / 1000))" "$most" ' kB'
    rm -f model.*
done << 'T'
resnet18 192
resnet50 203
mobilenet_v2 141
tutorial/signs 511 --train
T

while read -r net most options; do
    # shellcheck disable=SC2086 # none or several
    "$rnc" summary "$src/models/$net.net" $options --format json > summary.json 2> err || cat err
    bytes=$(sed -n '/^  "arena"/,/}/s/^    "bytes": *\([0-9]*\).*/\1/p' summary.json)
    bound=$(sed -n '/^  "arena"/,/}/s/^    "bound": *\([0-9]*\).*/\1/p' summary.json)
    within "$net $options, arena of its bound" "$((${bytes:-0} * 100 / ${bound:-1}))" "$most" ' %'
done << 'T'
deeplabv3_resnet50 102
deeplabv3_resnet50 103 -D size=224x224
fcn_resnet50 106
T

while read -r net most images options; do
    # shellcheck disable=SC2086 # none or several
    "$rnc" "$src/models/$net.net" -I "$src/models" --train --batch "$images" $options --dump plan > plan.txt 2> err || cat err
    bytes=$(sed -n 's/^arena \([0-9]*\) bytes$/\1/p' plan.txt)
    bound=$(sed -n 's/^  elements  *\([0-9]*\) .*/\1/p' plan.txt)
    within "$net $images $options, arena of its bound" "$((${bytes:-0} * 100 / ${bound:-1}))" "$most" ' %'
done << 'T'
resnet20 107 32
resnet20 106 128
resnet20 114 32 --memory least
resnet20 107 128 --memory least
resnet56 107 32
resnet56 107 32 --memory least
tutorial/signs 103 32
resnet18 106 32 -D size=64x64
mobilenet_v2 108 32 -D size=64x64
densenet121 106 32 -D size=64x64
T
finish
