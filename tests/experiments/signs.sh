#!/bin/sh
# signs.sh: the tutorial's training: ResNet-50 on 1,080 hand signs, 20 epochs, Adam, batches of 32,
# and the accuracy on the 120 test pictures, for three seeds.
. "$(dirname "$0")/lib.sh"
needs signs/jpg64
signs=$(cd "$data/signs/jpg64" && pwd)

# list FOLDER...: a line "path TAB class" for each picture; with --short of 8 pictures a class
list() {
    for folder; do
        for file in "$signs/$folder"/*.jpg; do
            name=${file##*/}
            printf '%s\t%s\n' "$file" "${name%%_*}"
        done
    done | if [ -n "$short" ]; then awk '++n[$2] <= 8'; else cat; fi
}
list train_signs val_signs > "$out/signs.list"
list test_signs > "$out/signs-test.list"
for seed in 0 ${short:-1 2}; do
    [ "$seed" != yes ] || continue
    run=$out/signs${short:+-short}-$seed
    "$rnc" train "$src/models/tutorial/signs.net" -I "$src/models" --data "$out/signs.list" \
        --validation "$out/signs-test.list" --cache "$out/signs.cache" -o "$run" --seed "$seed" --resume \
        ${short:+--epochs 1} "$@"
    printf 'seed %s: %s of the test pictures are right after epoch %s\n' "$seed" \
        "$(last "$run" held_accuracy)" "$(last "$run" epoch)"
done
[ -n "$short" ] || "$rnc" curves "$out/signs-0" "$out/signs-1" "$out/signs-2" -o "$out/signs.svg"
