/* foreign.c: says what a file is if it has no tensors that rnc reads.
 *
 * It is recognised by its content, since names can be wrong.  The table has a row for each format
 * with characteristic bytes; functions recognise the formats that have none.
 */
#include "params/foreign.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

/* The way out if Python has the tensors as arrays. */
#define SAVEZ(names_and_arrays) \
    "in Python, numpy.savez(\"FILE.npz\", **" names_and_arrays ") writes what rnc reads"

typedef struct Foreign {
    size_t at; /* where `bytes` are */
    const char *bytes;
    size_t n;
    const char *what;
    const char *way_out; /* or NULL */
} Foreign;

#define ROW(at, bytes, what, way_out)              \
    {                                              \
        at, bytes, sizeof bytes - 1, what, way_out \
    }

static const Foreign table[] = {
    ROW(0, "\x89HDF\r\n\x1a\n", "an HDF5 file, and this rnc was built without libhdf5",
        "install libhdf5 (Debian: apt-get install libhdf5-dev), then configure and build rnc "
        "again"),
    ROW(4, "TFL3", "a TensorFlow Lite model",
        "take the weights from the model that it was converted from; those of a .tflite file are "
        "often quantized"),
    ROW(4, "ET12", "an ExecuTorch program",
        "in Python, torch.save(model.state_dict(), \"FILE.pt\") saves its weights"),
    ROW(0, "GGUF", "a GGUF file",
        "it is for language models; rnc reads the safetensors that it was made from"),
    ROW(0, "ggml", "a GGML file", NULL),
    ROW(0, "\x93NUMPY", "a single NumPy array",
        "in Python, numpy.savez(\"FILE.npz\", NAME=array, ...) gives arrays names"),
    ROW(0, "\x12\1\0\0\0\0\0\0", "MXNet's parameters",
        SAVEZ("{k: v.asnumpy() for k, v in mxnet.nd.load(\"FILE\").items()}")),
    ROW(0, "\x81\xa6params", "Flax' parameters in MessagePack",
        SAVEZ("flax.traverse_util.flatten_dict(params, sep=\".\")")),
    ROW(0, "7767517\n", "the layers of an ncnn model, as text",
        "take the weights from the model that it was converted from"),
    ROW(0, "ftrt", "an engine of TensorRT",
        "it is built for one GPU; take the model it was built from"),
    ROW(0, "ptrt", "an engine of TensorRT",
        "it is built for one GPU; take the model it was built from"),
    ROW(0, "MATLAB 5.0", "a file of MATLAB", SAVEZ("scipy.io.loadmat(\"FILE\")")),
    ROW(0, "\x28\xb5\x2f\xfd", "compressed by zstd", "unpack it first: zstd -d FILE"),
    ROW(0, "\x1f\x8b", "compressed by gzip", "unpack it first: gunzip FILE"),
    ROW(0,
        "\xfd"
        "7zXZ",
        "compressed by xz", "unpack it first: unxz FILE"),
    ROW(0, "BZh", "compressed by bzip2", "unpack it first: bunzip2 FILE"),
    ROW(0, "7z\xbc\xaf\x27\x1c", "an archive of 7-Zip", "unpack it first: 7z x FILE"),
    ROW(0, "Rar!", "a RAR archive", "unpack it first: unrar x FILE"),
    ROW(0, "RNCW", "weights that rnc has packed for a network",
        "rnc packs them from the file they were trained in"),
    ROW(0, "version https://git-lfs", "a Git LFS pointer, not the file itself",
        "fetch it first: git lfs pull"),
    ROW(0,
        "\x7f"
        "ELF",
        "a program or a library", NULL),
};

/* ---- formats without bytes of their own ---- */

typedef struct Bytes {
    const unsigned char *at;
    size_t n;
} Bytes;

/* Whether `text` is in the first bytes, in any case of letters. */
static bool near_begin(Bytes b, const char *text)
{
    enum { SOME = 1 << 16 };
    const size_t n = strlen(text), some = b.n < SOME ? b.n : SOME;
    for (size_t i = 0; i + n <= some; i++) {
        size_t k = 0;
        while (k < n && tolower(b.at[i + k]) == tolower((unsigned char)text[k]))
            k++;
        if (k == n)
            return true;
    }
    return false;
}

/* The first character that is neither a blank nor a byte order mark of UTF-8, or 0. */
static int first_letter(Bytes b)
{
    size_t i = b.n >= 3 && memcmp(b.at, "\xef\xbb\xbf", 3) == 0 ? 3 : 0;
    while (i < b.n && isspace(b.at[i]))
        i++;
    return i < b.n ? b.at[i] : 0;
}

static bool is_page(Bytes b)
{
    return first_letter(b) == '<' && (near_begin(b, "<!doctype html") || near_begin(b, "<html"));
}

static bool is_openvino(Bytes b)
{
    return first_letter(b) == '<' && near_begin(b, "<net ") && near_begin(b, "<layer");
}

static bool is_json(Bytes b)
{
    return first_letter(b) == '{' && near_begin(b, "\":");
}

/* A protobuf that begins with ir_version, and then names what wrote it or has the graph. */
static bool is_onnx(Bytes b)
{
    if (b.n < 16 || b.at[0] != 0x08 || b.at[1] < 1 || b.at[1] > 30)
        return false;
    if (b.at[2] == 0x12)
        return b.at[3] < 64 && (b.at[3] == 0 || isprint(b.at[4]));
    return b.at[2] == 0x3a || b.at[2] == 0x42 || b.at[2] == 0x1a;
}

/* saved_model_schema_version: 1, then a graph, which is large. */
static bool is_saved_model(Bytes b)
{
    return b.n > 16 && memcmp(b.at, "\x08\x01\x12", 3) == 0 && b.at[3] & 0x80;
}

/* Where the field that begins at `i` with a length below 128 ends, if that is text. */
static size_t text_field(Bytes b, size_t i)
{
    if (i + 2 > b.n || b.at[i] != 0x0a || b.at[i + 1] == 0 || b.at[i + 1] > 127 ||
        i + 2 + b.at[i + 1] + 2 > b.n)
        return 0;
    for (size_t k = 0; k < b.at[i + 1]; k++) {
        if (!isprint(b.at[i + 2 + k]))
            return 0;
    }
    return i + 2 + b.at[i + 1];
}

/* The name of a net, then its layers of the old or the new kind, or its inputs. */
static bool is_caffe(Bytes b)
{
    const size_t end = text_field(b, 0);
    return end > 0 &&
           (b.at[end] == 0x12 || b.at[end] == 0x1a || (b.at[end] == 0xa2 && b.at[end + 1] == 0x06));
}

/* Nodes, each with its name and its operator. */
static bool is_frozen_graph(Bytes b)
{
    if (b.n < 16 || b.at[0] != 0x0a)
        return false;
    const size_t end = text_field(b, b.at[1] & 0x80 ? 3 : 2);
    return end > 0 && b.at[end] == 0x12;
}

/* Version 0.1 or 0.2, a revision, and how many pictures were seen. */
static bool is_darknet(Bytes b)
{
    return b.n > 16 && memcmp(b.at, "\0\0\0\0", 4) == 0 && b.at[4] >= 1 && b.at[4] <= 2 &&
           memcmp(b.at + 5, "\0\0\0", 3) == 0 && b.at[8] < 10 && memcmp(b.at + 9, "\0\0\0", 3) == 0;
}

/* The table at the end of an index of TensorFlow's checkpoints. */
static bool is_checkpoint_index(Bytes b)
{
    return b.n > 48 && memcmp(b.at + b.n - 8, "\x57\xfb\x80\x8b\x24\x75\x47\xdb", 8) == 0;
}

static bool is_tar(Bytes b)
{
    return b.n >= 512 && memcmp(b.at + 257, "ustar", 5) == 0;
}

/* PyTorch before 0.1.10: members of these names, in a tar archive. */
static bool is_torch_tar(Bytes b)
{
    static const char *const names[] = {"sys_info", "pickle", "storages", "tensors"};
    for (size_t i = 0; is_tar(b) && i < sizeof names / sizeof *names; i++) {
        const char *name = (const char *)b.at + (b.at[0] == '.' && b.at[1] == '/' ? 2 : 0);
        if (strncmp(name, names[i], 16) == 0)
            return true;
    }
    return false;
}

static bool is_pickle(Bytes b)
{
    return b.n > 2 && b.at[0] == 0x80 && b.at[1] >= 2 && b.at[1] <= 5;
}

static const struct {
    bool (*is)(Bytes b);
    const char *what, *way_out;
} formats[] = {
    {is_torch_tar, "a tar archive of PyTorch before version 0.1.10",
     "in Python, torch.save(torch.load(\"OLD\"), \"NEW\") writes what rnc reads"},
    {is_tar, "a tar archive", "unpack it first: tar xf FILE"},
    {is_pickle, "a Python pickle that is not PyTorch's",
     "reading it may run code, which rnc does not; where the program that wrote it reads it as "
     "a dict of arrays, numpy.savez(\"FILE.npz\", **dict) writes what rnc reads"},
    {is_page, "a web page, perhaps what a site says instead of the file",
     "download the file itself: the link of its 'raw' or 'download' button"},
    {is_openvino, "the layers of an OpenVINO model, as XML",
     "take the weights from the model that it was converted from"},
    {is_saved_model, "a SavedModel of TensorFlow",
     "in Python, keras.models.load_model(\"FOLDER\").save_weights(\"FILE.weights.h5\"), with "
     "tf_keras where it was written by Keras 2"},
    {is_onnx, "an ONNX model, a network with its weights",
     "rnc import FILE -o NET.net writes the network, and its weights to NET.safetensors; 'rnc FILE "
     "-o "
     "NET.c' compiles it at once"},
    {is_frozen_graph, "a frozen graph of TensorFlow",
     "take the weights from the Keras model or the checkpoint that it was made from"},
    {is_caffe, "a Caffe model",
     SAVEZ("{k + \".\" + str(i): b.data for k, v in caffe.Net(\"NET\", \"FILE\", "
           "caffe.TEST).params.items() for i, b in enumerate(v)}")},
    {is_darknet, "darknet's weights, numbers without names",
     "a converter that writes a PyTorch file gives them names"},
    {is_checkpoint_index, "the index of a checkpoint of TensorFlow",
     "in Python, r = tensorflow.train.load_checkpoint(\"PREFIX\") has r.get_tensor(name); "
     "numpy.savez() writes what rnc reads"},
};

static void refuse(const char *path, const char *what, const char *way_out, Diag *diag)
{
    diag_file_error(diag, path, "rnc reads " FOREIGN_READ ", and this is %s", what);
    if (way_out)
        diag_file_note(diag, path, "%s", way_out);
}

void foreign_refuse(const char *path, const unsigned char *bytes, size_t size, Diag *diag)
{
    const Bytes b = {bytes, size};
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        const Foreign *f = &table[i];
        if (size >= f->at + f->n && memcmp(bytes + f->at, f->bytes, f->n) == 0) {
            refuse(path, f->what, f->way_out, diag);
            return;
        }
    }
    for (size_t i = 0; i < sizeof formats / sizeof *formats; i++) {
        if (formats[i].is(b)) {
            refuse(path, formats[i].what, formats[i].way_out, diag);
            return;
        }
    }
    if (is_json(b))
        refuse(path, "JSON text, which describes a model at most",
               "the weights are in another file", diag);
    else
        refuse(path, "something else", NULL, diag);
}

/* ---- archives and folders ---- */

void foreign_refuse_archive(const Zip *zip, Diag *diag)
{
    static const struct {
        const char *ending, *what, *way_out;
    } rows[] = {
        {"models/model.json", "an exported program of PyTorch (.pt2)",
         "in Python, torch.save(torch.export.load(\"FILE\").state_dict, \"FILE.pt\")"},
        {"archive_format", "an exported program of PyTorch (.pt2)",
         "in Python, torch.save(torch.export.load(\"FILE\").state_dict, \"FILE.pt\")"},
        {"saved_model.pb", "a SavedModel of TensorFlow in an archive",
         "unpack it; in Python, keras.models.load_model(\"FOLDER\")"
         ".save_weights(\"FILE.weights.h5\")"},
        {".safetensors", "an archive with safetensors in it", "unpack it first: unzip FILE"},
        {".h5", "an archive with HDF5 in it", "unpack it first: unzip FILE"},
        {".pt", "an archive with a file of PyTorch in it", "unpack it first: unzip FILE"},
        {".pth", "an archive with a file of PyTorch in it", "unpack it first: unzip FILE"},
        {".onnx", "an archive with an ONNX model in it", "unpack it first: unzip FILE"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        for (int m = 0; m < zip->n; m++) {
            if (!str_ends(zip->members[m].name, rows[i].ending))
                continue;
            refuse(zip->path, rows[i].what, rows[i].way_out, diag);
            return;
        }
    }
    diag_file_error(
        diag, zip->path,
        "the ZIP archive holds neither NumPy's nor PyTorch's tensors, nor a model of Keras");
}

void foreign_refuse_folder(const char *path, Diag *diag)
{
    static const struct {
        const char *file, *what, *way_out;
    } rows[] = {
        {"saved_model.pb", "a SavedModel of TensorFlow",
         "in Python, keras.models.load_model(\"FOLDER\").save_weights(\"FILE.weights.h5\"), with "
         "tf_keras where it was written by Keras 2"},
        {"model.weights.h5", "a model of Keras, unpacked",
         "-w FOLDER/model.weights.h5 takes its weights"},
        {"model.safetensors.index.json", "the folder of a model in several files",
         "-w FOLDER/model.safetensors.index.json takes its weights"},
        {"pytorch_model.bin.index.json", "the folder of a model in several files",
         "-w FOLDER/pytorch_model.bin.index.json takes its weights"},
        {"model.safetensors", "the folder of a model",
         "-w FOLDER/model.safetensors takes its weights"},
        {"pytorch_model.bin", "the folder of a model",
         "-w FOLDER/pytorch_model.bin takes its weights"},
        {"data.pkl", "a file of PyTorch, unpacked", "zip -0 -r FILE.pt FOLDER packs it again"},
        {".zgroup", "tensors in Zarr",
         "in Python, numpy.savez(\"FILE.npz\", **zarr.open(\"FOLDER\"))"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct stat about;
        const char *file = arena_printf(diag->out.arena, "%s/%s", path, rows[i].file);
        if (stat(file, &about) == 0) {
            refuse(path, rows[i].what, rows[i].way_out, diag);
            return;
        }
    }
    diag_file_error(diag, path, "cannot read the weights: it is a folder, not a file");
}
