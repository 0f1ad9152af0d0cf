# condense.awk: the least time of each method for each kind of layer, from what `rnc tune --table` wrote.
#
#     awk -v parameters=25557032 -f condense.awk FULL.table > MACHINE-ISA.table
#
# A row's ratio is to the model's choice in the same rounds, so the least ratio counts, of the layer's first time.
/^rnc tuning/ { print; next }
/^# --machine/ { print; next }
/^#/ && !machine { machine = 1; print; split($0, words, ", "); print "# isa " words[2]; print "# parameters " parameters; next }
/too busy/ { next }
/^(conv|dense)/ {
    at = index($0, ": "); hash = index($0, " # ")
    layer = substr($0, 1, at - 1); method = substr($0, at + 2, hash - at - 2)
    split(substr($0, hash + 3), figures, " ")
    if (!(layer in us)) { us[layer] = figures[3]; layers[++n] = layer }
    key = layer SUBSEP method
    if (!(key in least)) { methods[layer] = methods[layer] "|" method; least[key] = figures[1] }
    if (figures[1] + 0 < least[key] + 0) least[key] = figures[1]
}
END {
    for (i = 1; i <= n; i++) {
        count = split(substr(methods[layers[i]], 2), names, "|")
        for (k = 1; k <= count; k++)
            printf "%s: %s # %s of %s us\n", layers[i], names[k], least[layers[i], names[k]], us[layers[i]]
    }
}
