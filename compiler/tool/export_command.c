/* export_command.c: rnc export: a network and its weights as a model of ONNX. */
#include "import/onnx_write.h"
#include "net/figures.h"
#include "tool/commands.h"
#include "tool/output.h"

#include <stdio.h>
#include <string.h>

#ifdef RNC_HAVE_PROTOBUF_C
static void write_files(const Options *o, const Net *net, const char *path, const SrcMap *src,
                        Arena *arena, Diag *d)
{
    const char *slash = strrchr(path, '/');
    const char *data_path = arena_printf(arena, "%s.data", path);
    const OnnxOptions options = {
        .fixed_batch = o->compile.lower.batch != 0,
        .inside_most = ONNX_INSIDE_MOST,
        .data_name = arena_printf(arena, "%s.data", slash ? slash + 1 : path),
    };
    OnnxFile made;
    if (!onnx_write(net, &options, &made, arena, d))
        return;
    const OutputFile files[] = {{path, made.model, made.model_size},
                                {data_path, made.data, made.data_size}};
    if (write_made(o, files, made.data ? 2 : 1, path, src, arena, d) && !o->quiet)
        printf("wrote %s: ONNX, opset 20, %s%s%s\n", path,
               figure_bytes(arena, (int64_t)(made.model_size + made.data_size)),
               made.data ? ", the weights in " : "", made.data ? data_path : "");
}

int export_command(Options *o, Arena *arena, SrcMap *src, Diag *d)
{
    Compiled c;
    const char *path = output_ending(o, ".onnx", arena, d);
    if (!path)
        return EXIT_USAGE;
    /* The compilation ends where the network is as it was written. */
    o->compile.dump = DUMP_IR;
    if (compile(&o->compile, arena, src, d, &c)) {
        if (c.has_weights)
            write_files(o, c.original, path, src, arena, d);
        else
            diag_error(d, NO_LOC,
                       "a model of ONNX has its weights: give them with -w FILE, or --init "
                       "HOW:SEED");
    }
    compiled_close(&c);
    return status_of(d);
}
#else
int export_command(Options *o, Arena *arena, SrcMap *src, Diag *d)
{
    (void)o, (void)arena, (void)src;
    diag_error(d, NO_LOC, "this rnc was built without protobuf-c, which writes models of ONNX");
    diag_note(d, NO_LOC,
              "install libprotobuf-c-dev and protobuf-c-compiler (or what other systems "
              "call them), then configure and build rnc again");
    return status_of(d);
}
#endif
