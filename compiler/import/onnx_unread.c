/* onnx_unread.c: what says so where rnc was built without protobuf-c. */
#include "import/onnx_model.h"

const OnnxModel *onnx_read(Imported *to, const Opened *file, SrcMap *src, Diag *d)
{
    (void)to, (void)src;
    diag_file_error(d, file->path,
                    "it is a model of ONNX, and this rnc was built without protobuf-c");
    diag_file_note(d, file->path,
                   "install libprotobuf-c-dev and protobuf-c-compiler (or what other systems call "
                   "them), then configure and build rnc again");
    return NULL;
}
