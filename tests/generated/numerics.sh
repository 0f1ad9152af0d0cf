#!/bin/sh
# numerics.sh: what docs/numerics.md promises of each method, on every instruction set of this CPU:
# the largest error, and that outputs are finite below its threshold (numerics.c); and that a
# network which says that its input has outliers keeps them where they are read.
. "$(dirname "$0")/lib.sh"
trials=${RNC_TEST_FULL:+400}
trials=${trials:-8}
level=$(level -O1)

check "filters" ${CC:-cc} -std=gnu11 -O1 "$src/tests/generated/numerics.c" -o filters -lm

# promised METHOD COLUMN: from the table of the manual
promised() {
    awk -F ' *[|] *' -v method="$1" -v column="$2" '$2 == method { print $(column + 1); exit }' "$src/docs/numerics.md"
}

# method ROW WORD IN OUT KERNEL STRIDE SIZE PAIRED [DILATION]: a convolution by the method that tuning
# files call WORD and the manual ROW.  With Winograd's, a NaN reaches what the manual says.
method() {
    row=$1 word=$2 in=$3 out_c=$4 k=$5 s=$6 h=$7 paired=$8 d=${9:-1}
    to=$(((h + s - 1) / s)) dilated=
    [ "$d" = 1 ] || dilated=" dilation $d"
    name=$(echo "m_$row$k$s$h$dilated" | tr -d ' ')
    printf 'net %s {\n  input x[%d, %d, %d]\n  conv %dx%d %d stride=%d dilation=%d\n  output y\n}\n' \
        "$name" "$in" "$h" "$h" "$k" "$k" "$out_c" "$s" "$d" > "$name.net"
    printf 'rnc tuning 1\nconv %dx%d stride %d%s groups 1 %dx%dx%d -> %dx%dx%d images 1: %s\n' \
        "$k" "$k" "$s" "$dilated" "$in" "$h" "$h" "$out_c" "$to" "$to" "$word" > "$name.tuning"
    check "$name, filters" ./filters weights "$out_c" "$in" "$k" "$name.safetensors"
    check "$name" "$rnc" "$name.net" -w "$name.safetensors" --tuning "$name.tuning" --isa all -q
    # A word that does not fit leaves the method to chance; the name of the kernel shows it.
    case $word in
    direct) kernel=conv_direct ;;
    strassen) kernel=conv_strassen ;;
    *taps) kernel=conv_winograd_taps ;;
    *) [ "$in" -lt 16 ] && kernel=conv_winograd1d || kernel=conv_winograd ;;
    esac
    check "$name, its kernel" grep -q "RNC_FN($kernel)(" "$name.c"
    check "$name, compiled" ${CC:-cc} -std=gnu11 $level -w -I. -I"$src/runtime" -DNET_INFO="${name}_info" \
        -DNET_HEADER="\"$name.h\"" -DTRIALS="$trials" "$src/tests/generated/numerics.c" "$name.c" "$rt" \
        -o "$name" -pthread -lm
    check "$name, $(promised "$row" 4) e and below $(promised "$row" 6)" ./"$name" check "$out_c" "$in" "$k" "$s" \
        "$d" "$paired" "$name.weights" "$(promised "$row" 4)" "$(promised "$row" 6)"
    case $row$s in
    winograd*rows?) ;;
    winograd*1)
        side=$(echo "$row" | tr -dc 24)
        check "$name, the reach of a NaN" ./"$name" spread "$out_c" "$in" "$d" "$side" "$name.weights" \
            "$(promised "$row" 4)"
        ;;
    esac
}

method direct direct 16 32 3 1 13 0
method 'winograd 2' 'winograd 2' 16 32 3 1 13 0
method 'winograd 4' 'winograd 4' 16 32 3 1 13 0
method 'winograd 4' 'winograd 4' 16 32 3 2 13 0
method 'winograd 4 taps' 'winograd 4 taps' 16 32 3 1 13 0
method 'winograd 2' 'winograd 2' 16 32 3 1 21 0 2
method 'winograd 4' 'winograd 4' 16 32 3 1 31 0 3
method 'winograd 4 rows' 'winograd 4' 3 32 7 2 29 0
method strassen strassen 32 64 1 1 9 1
if [ -n "${RNC_TEST_FULL:-}" ]; then
    method direct direct 128 32 3 1 9 0
    method 'winograd 2' 'winograd 2' 64 32 3 2 13 0
    method 'winograd 4' 'winograd 4' 16 32 3 2 30 0 3
    method 'winograd 4 taps' 'winograd 4 taps' 16 32 3 1 4 0
    method 'winograd 4 taps' 'winograd 4 taps' 16 32 3 1 21 0 2
    method 'winograd 4 rows' 'winograd 4' 3 32 3 1 13 0
    method strassen strassen 128 128 1 1 9 1
fi

# One pixel of each kind, in a network that says so, and by --exact in one that does not.  The message
# for the one that neither says nor asks shows that the test sees what it looks for.
for said in "range=0..3e38 specials=(nan, inf)" ""; do
    name=said
    [ -n "$said" ] || name=silent
    printf 'net %s {\n  input x[16, 12, 12] %s\n  conv 3x3 32\n  output y\n}\n' $name "$said" > $name.net
    check "$name, filters" ./filters weights 32 16 3 $name.safetensors
    for exact in "" --exact; do
        check "$name $exact" "$rnc" $name.net -w $name.safetensors $exact --isa all -q
        check "$name $exact, compiled" ${CC:-cc} -std=gnu11 $level -w -I. -I"$src/runtime" -DNET_INFO="${name}_info" \
            -DNET_HEADER="\"$name.h\"" -DTRIALS=1 "$src/tests/generated/numerics.c" "$name.c" "$rt" \
            -o $name -pthread -lm
        for spike in 1 1e6 3e38 inf -inf nan; do
            if [ "$name$exact" != silent ]; then
                check "$name $exact, a pixel of $spike" ./$name away 32 16 3 $name.weights $spike "$(promised direct 4)"
            elif [ $spike != 1 ]; then
                check "Winograd's method and a pixel of $spike" sh -c "! ./silent away 32 16 3 silent.weights $spike 4"
            fi
        done
    done
done

# rnc verify: every operator keeps a spike where it is read, by plain sums; a network that does not say
# what its input holds is told where Winograd's method spreads it, and how to say it.
compiler cc-level "$level" || exit 1
verify() { CC="$out/cc-level" "$rnc" verify "$@" > verify.log 2>&1; }
told() { grep -qF -- "$1" verify.log; }
for kind in outliers specials; do
    for net in special ${RNC_TEST_FULL:+blocks chain turns}; do
        check "verify $net.net --inputs $kind" verify $net.net --init random:1 --inputs $kind --exact \
            --isa ${RNC_TEST_FULL:+portable,}scalar
    done
done
spread() { # KIND RANGE: what verify says of a network whose input says RANGE
    cat > wide.net << EON
net wide {
  input depth[16, 12, 12] $2
  first: conv 3x3 32 ; bn ; relu
  conv 3x3 32 ; sigmoid
  conv 3x3 32 ; relu
  output y
}
EON
    verify wide.net --init random:1 --inputs $1 --isa portable
}
not() { ! "$@"; }
check "outliers, said" spread outliers 'range=0..1e6'
check "outliers, said, a tenth of them are ordinary" spread outliers 'range=-1e6..1e6 typical=100000'
check "special values, said" spread specials 'specials=(nan, inf)'
check "special values, none said" not spread specials 'range=0..1e6'
check "special values, none said, and says so" told 'error: no input has special values'
for kind in outliers specials; do
    check "$kind, not said" not spread $kind ''
    check "$kind, not said, where" told "error: 'first' differs with"
    check "$kind, not said, why" told 'note: it is computed by winograd 4, which mixes pixels'
    [ $kind = outliers ] && way='range=0..1e+06' || way='specials=nan'
    check "$kind, the way out" told "\`input depth[...] $way\` keeps to methods that do not"
done

finish
