# network.awk: a random network as .net text: awk -v seed=N -f network.awk
#
# The same seed gives the same text everywhere (the generator is our own).  Only what every
# version of the language understands alike is written: each pool has its stride, each
# normalize its scale, names are no words of the language.
function draw(n) { # 0 .. n-1
    state = (state * 16807) % 2147483647
    return int(state / 64) % n
}
function pick(list,   words, n) {
    n = split(list, words, " ")
    return words[draw(n) + 1]
}
function say(text) { print indent text }
function act() { return pick("relu relu relu relu6 leaky_relu silu gelu hard_swish tanh hard_sigmoid sigmoid") }
function after_stride(n, kernel, padding, stride) { return int((n + 2 * padding - kernel) / stride) + 1 }
# A convolution with half padding on the current tensor, which is c x h x w.
function conv(filters, kernel, stride,   groups, line, dilation) {
    groups = 1
    if (draw(6) == 0 && c % 4 == 0 && filters % 4 == 0) groups = 4
    dilation = kernel > 1 && stride == 1 && draw(8) == 0 ? 2 : 1
    line = "conv " kernel "x" kernel " " filters
    if (stride > 1) line = line " stride=" stride
    if (groups > 1) line = line " groups=" groups
    if (dilation > 1) line = line " dilation=2 padding=" dilation * int(kernel / 2)
    if (draw(3) == 0) line = line " bias=true"
    else line = line " ; bn"
    c = filters
    h = after_stride(h, kernel, int(kernel / 2), stride)
    w = after_stride(w, kernel, int(kernel / 2), stride)
    return line
}
function width() { return pick("7 8 12 16 20 24 32 33 48 64 96 128") }
function residual(   in_c, in_h, in_w, stride, filters, out) {
    in_c = c; in_h = h; in_w = w
    stride = h > 6 && w > 6 ? 1 + draw(2) : 1
    filters = draw(2) ? c : width()
    say("left {"); indent = "    "
    if (draw(2)) {
        say(conv(filters, 3, stride) " ; " act())
        say(conv(filters, 3, 1))
    } else {
        say(conv(8 + 8 * draw(4), 1, 1) " ; " act())
        say(conv(c, 3, stride) " ; " act())
        say(conv(filters, 1, 1))
    }
    out = h " " w
    indent = "  "; say("}")
    c = in_c; h = in_h; w = in_w
    if (stride == 1 && filters == c) say("right { }")
    else say("right { " conv(filters, 1, stride) " }")
    if (out != h " " w) { print "network.awk: arms of different sizes" > "/dev/stderr"; exit 1 }
    say("add ; " act())
}
function gate(   all) {
    all = c
    say("whole { }")
    say("gate { avgpool global ; conv 1x1 " (4 + draw(9)) " bias=true ; " act() " ; conv 1x1 " all " bias=true ; " pick("sigmoid hard_sigmoid") " }")
    say("mul")
}
function branches(   in_c, in_h, in_w, sum, n, i) {
    in_c = c; in_h = h; in_w = w; sum = 0; n = 2 + draw(2)
    for (i = 0; i < n; i++) {
        c = in_c; h = in_h; w = in_w
        if (i == 1 && draw(2)) say("arm" i " { maxpool 3x3 stride=1 padding=1 }")
        else say("arm" i " { " conv(width(), pick("1 3 5"), 1) " ; " act() " }")
        sum += c
    }
    c = sum
    say("concat")
}
function pool(   kernel, stride, padding) {
    kernel = 2 + draw(2); stride = 1 + draw(2); padding = kernel == 3 ? draw(2) : 0
    if (h < 4 || w < 4) return
    say(pick("maxpool avgpool") " " kernel "x" kernel " stride=" stride (padding ? " padding=1" : ""))
    h = after_stride(h, kernel, padding, stride)
    w = after_stride(w, kernel, padding, stride)
}
function depthwise(   stride, kernel) {
    kernel = pick("3 5"); stride = h > 6 && w > 6 ? 1 + draw(2) : 1
    say("conv " kernel "x" kernel " " c " groups=" c " stride=" stride " ; bn ; " act())
    h = after_stride(h, kernel, int(kernel / 2), stride)
    w = after_stride(w, kernel, int(kernel / 2), stride)
}
function resize(   what) {
    what = draw(3)
    if (what == 0 && h * w < 200) { say("upsample 2"); h *= 2; w *= 2 }
    else if (what == 1) { say("zeropad (1, 0, 2, 1)"); h += 3; w += 1 }
    else if (h > 6 && w > 6) { say("subsample 2"); h = int((h + 1) / 2); w = int((w + 1) / 2) }
}
BEGIN {
    state = seed * 7919 + 1
    for (i = 0; i < 10; i++) draw(2)
    c = pick("1 3 3 3 5"); h = 9 + draw(30); w = 9 + draw(30)
    print "net random" seed " {"
    indent = "  "
    say("input image[" c ", " h ", " w "]")
    say("normalize mean=(0.5,) std=(0.25,) scale=0.00390625")
    say(conv(width(), pick("3 3 5 7"), 1 + draw(2)) " ; " act())
    pieces = 3 + draw(5)
    for (i = 0; i < pieces; i++) {
        piece = draw(10)
        if (piece < 3) residual()
        else if (piece == 3) gate()
        else if (piece == 4) branches()
        else if (piece == 5) pool()
        else if (piece == 6) depthwise()
        else if (piece == 7) resize()
        else say(conv(width(), pick("1 3 3"), 1) " ; " act())
        if (i == 1 && draw(2)) say("tap middle")
    }
    if (draw(3)) {
        say(draw(2) ? "avgpool global ; flatten" : "flatten")
        if (draw(2)) say("dense 33 ; " act())
        say("dense " (5 + draw(20)))
        if (draw(2)) say("softmax")
    }
    say("output scores")
    print "}"
}
