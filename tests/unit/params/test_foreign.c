/* test_foreign.c: files that hold no tensors which rnc reads are called what they are. */
#include "filetest.h"

#include <CUnit/CUnit.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILE_OF(bytes, says)          \
    {                                 \
        bytes, sizeof bytes - 1, says \
    }

/* The first bytes of files as programs write them. */
static void test_formats(void)
{
    static const struct {
        const char *bytes;
        size_t n;
        const char *says;
    } rows[] = {
        FILE_OF("\x80\2}q\0.........", "a Python pickle that is not PyTorch's"),
        FILE_OF("\x1c\0\0\0TFL3........", "a TensorFlow Lite model"),
        FILE_OF("GGUF\3\0\0\0........", "a GGUF file"),
        FILE_OF("\x93NUMPY\1\0........", "a single NumPy array"),
        FILE_OF("\x08\x07\x12\x07pytorch\x1a\x05"
                "2.1.0:\xff\x01",
                "an ONNX model"),
        FILE_OF("\x08\x0a:\xb1\xe1\x95\x06\x0a\x1a\x0a\1x\x12.....", "an ONNX model"),
        FILE_OF("\x08\1\x12\xb1\xe1\x95\x06\x0a\x1a\x0a........", "a SavedModel of TensorFlow"),
        FILE_OF("\x0a\x12\x0a\5input\x12\x0bPlaceholder", "a frozen graph of TensorFlow"),
        FILE_OF("\x0a\x09ResNet-50\xa2\x06\x20\x0a\4"
                "data",
                "a Caffe model"),
        FILE_OF("\0\0\0\0\2\0\0\0\5\0\0\0\0\x7d\xe8\1\0\0\0\0", "darknet's weights"),
        FILE_OF("\x12\1\0\0\0\0\0\0\0\0\0\0\0\0\0\0", "MXNet's parameters"),
        FILE_OF("<!DOCTYPE html><html><head>", "a web page"),
        FILE_OF("\n<HTML lang=\"en\">", "a web page"),
        FILE_OF("<?xml version=\"1.0\"?><net name=\"r\" version=\"11\"><layers><layer id=\"0\">",
                "an OpenVINO model"),
        FILE_OF("version https://git-lfs.github.com/spec/v1\noid sha256:0\n", "a Git LFS pointer"),
        FILE_OF("{\"class_name\": \"Functional\"}......", "JSON text"),
        FILE_OF("\x1f\x8b\x08\0....", "compressed by gzip"),
        FILE_OF("BZh91AY&SY", "compressed by bzip2"),
        FILE_OF("RNCW\1\0\0\0........", "weights that rnc has packed"),
        FILE_OF("net resnet50 {\n}\n", "something else"),
        FILE_OF("\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", "something else"),
        FILE_OF("x", "something else"),
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        FileTest t = {0};
        filetest_open(&t, rows[i].bytes, rows[i].n);
        filetest_refused(&t, rows[i].says);
    }
}

static void test_tar(void)
{
    FileTest t = {0};
    char block[1024] = "sys_info";
    memcpy(block + 257, "ustar", 5);
    filetest_open(&t, block, sizeof block);
    filetest_refused(&t, "a tar archive of PyTorch before version 0.1.10");
    memcpy(block, "weights/", 9);
    filetest_open(&t, block, sizeof block);
    filetest_refused(&t, "unpack it first: tar xf FILE");
}

/* Archives and folders are told by what they hold. */
static void test_archives(void)
{
    static const struct {
        const char *member, *says;
    } rows[] = {
        {"e/models/model.json", "an exported program of PyTorch"},
        {"m/saved_model.pb", "a SavedModel of TensorFlow in an archive"},
        {"m/model.safetensors", "unzip FILE"},
        {"readme.txt", "neither NumPy's nor PyTorch's tensors"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        FileTest t = {0};
        ZipTest z;
        zip_begin(&z, &t);
        zip_store(&z, rows[i].member, "{}", 2);
        zip_open_test(&z);
        filetest_refused(&t, rows[i].says);
    }
}

static void test_folders(void)
{
    static const char *const rows[][2] = {
        {"saved_model.pb", "a SavedModel of TensorFlow"},
        {"model.safetensors", "-w FOLDER/model.safetensors"},
        {"data.pkl", "a file of PyTorch, unpacked"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char folder[] = "/tmp/rnc-test-XXXXXX", path[64];
        FileTest t = {0};
        CU_ASSERT_FATAL(mkdtemp(folder) != NULL);
        snprintf(path, sizeof path, "%s/%s", folder, rows[i][0]);
        CU_ASSERT_FATAL(mkdir(path, 0700) == 0);
        filetest_open_path(&t, folder);
        rmdir(path);
        rmdir(folder);
        filetest_refused(&t, rows[i][1]);
    }
}

void suite_foreign(void)
{
    CU_pSuite suite = CU_add_suite("foreign", NULL, NULL);
    CU_ADD_TEST(suite, test_formats);
    CU_ADD_TEST(suite, test_tar);
    CU_ADD_TEST(suite, test_archives);
    CU_ADD_TEST(suite, test_folders);
}
