#!/bin/sh
# import.sh: models of other tools as .net files, and the layout of those.
#
# Every network of models/ goes out as text (--dump ir), comes in again as another tool's model
# would, and is written with its blocks; rnc compares each written text with the network itself.
. "$(dirname "$0")/lib.sh"
. "$src/tests/expect.sh"
rm -rf "$out/import" && mkdir -p "$out/import" && cd "$out/import" || exit 1

# as_written NET LINES: comes in again in at most so many lines, and computes the same.
as_written() {
    name=$(basename "$1" .net)
    "$rnc" "$1" --dump ir > "$name.ir" || return
    run 0 "import of $name" import "$name.ir" -q -o "$name-again.net"
    lines=$(wc -l < "$name-again.net")
    check "$name in $2 lines, not $lines" test "$lines" -le "$2"
    check "layout of $name" "$rnc" fmt --check "$name-again.net"
    check "layers of $name" test "$(grep -c ' nchw\[' "$name.ir")" -eq \
        "$("$rnc" "$name-again.net" --dump ir | grep -c ' nchw\[')"
}
for net in "$src"/models/*.net; do
    case $(basename "$net" .net) in
    siamese) as_written "$net" 90 ;;
    resnet-v2 | keras-resnet50v2 | mobilenet_v2 | densenet121) as_written "$net" 60 ;;
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
finish
