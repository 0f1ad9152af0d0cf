"""The programs that rnc is measured beside, a module each.

    TITLE               what tables call it
    version()           of the installed package
    prepare(case)       writes to case.folder what Peer loads: not measured
    Peer(case, threads, pictures)
                        loads, in f32 and in the peer's fastest way that computes the
                        same to rounding; pictures are float [n][c][h][w]
        .run()          one inference of the whole batch, results kept in the peer
        .answers()      arrays in the order of case.outputs; [n][c] for [n][c][1][1] is as good
        .note           more that a reader should know (optional)

A peer that cannot run a network raises; bench.py then reports why.
"""
ALL = ["onnxruntime", "openvino", "ncnn", "mnn", "torch", "litert"]
