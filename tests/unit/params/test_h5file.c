/* test_h5file.c: HDF5 files, made here through libhdf5: as each Keras writes them, and
 * as nobody should. */
#include <CUnit/CUnit.h>

#include <stdio.h>

#ifdef RNC_HAVE_HDF5
#define H5_USE_110_API
#include "filetest.h"

#include <hdf5.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef struct H5Test {
    FileTest t;
    char path[32];
    hid_t id;
} H5Test;

static const float numbers[24] = {0,  1,  2,  3,  4,  5,  6,  7,  8,  9,  10, 11,
                                  12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23};

static void begin(H5Test *h)
{
    *h = (H5Test){.path = "/tmp/rnc-test-XXXXXX"};
    const int fd = mkstemp(h->path);
    CU_ASSERT_FATAL(fd >= 0);
    close(fd);
    h->id = H5Fcreate(h->path, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
    CU_ASSERT_FATAL(h->id >= 0);
}

/* Closes and opens it as a weights file; it is there until finish(). */
static void open_test(H5Test *h)
{
    CU_ASSERT_FATAL(H5Fclose(h->id) >= 0);
    filetest_open_path(&h->t, h->path);
}

static void finish(H5Test *h)
{
    filetest_close(&h->t);
    unlink(h->path);
}

static void refused(H5Test *h, const char *says)
{
    open_test(h);
    filetest_refused(&h->t, says);
    unlink(h->path);
}

static void group(const H5Test *h, const char *path)
{
    const hid_t id = H5Gcreate2(h->id, path, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    CU_ASSERT_FATAL(id >= 0);
    H5Gclose(id);
}

/* A dataset of the first numbers, of type `kind` in the file, its groups made with it. */
static void dataset(const H5Test *h, const char *path, const hsize_t *dims, int rank, hid_t kind,
                    hid_t create)
{
    const hid_t links = H5Pcreate(H5P_LINK_CREATE), space = H5Screate_simple(rank, dims, NULL);
    H5Pset_create_intermediate_group(links, 1);
    const hid_t id = H5Dcreate2(h->id, path, kind, space, links, create, H5P_DEFAULT);
    CU_ASSERT_FATAL(id >= 0);
    CU_ASSERT_FATAL(H5Dwrite(id, H5T_NATIVE_FLOAT, H5S_ALL, H5S_ALL, H5P_DEFAULT, numbers) >= 0);
    H5Dclose(id);
    H5Sclose(space);
    H5Pclose(links);
}

static void floats(const H5Test *h, const char *path, int rank, hsize_t a, hsize_t b, hsize_t c,
                   hsize_t d)
{
    const hsize_t dims[] = {a, b, c, d};
    dataset(h, path, dims, rank, H5T_IEEE_F32LE, H5P_DEFAULT);
}

static void text_attribute(const H5Test *h, const char *object, const char *name, const char *text)
{
    const hid_t type = H5Tcopy(H5T_C_S1), space = H5Screate(H5S_SCALAR);
    H5Tset_size(type, H5T_VARIABLE);
    H5Tset_cset(type, H5T_CSET_UTF8);
    const hid_t id =
        H5Acreate_by_name(h->id, object, name, type, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    CU_ASSERT_FATAL(id >= 0 && H5Awrite(id, type, &text) >= 0);
    H5Aclose(id);
    H5Sclose(space);
    H5Tclose(type);
}

static const StoredTensor *tensor(H5Test *h, const char *name)
{
    const StoredTensor *t = tensorfile_find(&h->t.file, name);
    if (!t) {
        for (int i = 0; i < h->t.file.n; i++)
            printf("there is '%s'\n", h->t.file.tensors[i].name);
        printf("%s", buf_text(&h->t.diag.out));
    }
    CU_ASSERT_PTR_NOT_NULL_FATAL(t);
    return t;
}

static bool has_axes(H5Test *h, const char *name, const char *axes)
{
    const StoredTensor *t = tensor(h, name);
    return axes ? t->axes && str_eq(t->axes, axes) : !t->axes;
}

/* model.save() of Keras 2: model_weights/LAYER/LAYER/WEIGHT:0, optimizers beside. */
static void test_keras2(void)
{
    H5Test h;
    begin(&h);
    floats(&h, "model_weights/conv1/conv1/kernel:0", 4, 1, 2, 3, 4);
    floats(&h, "model_weights/conv1/conv1/bias:0", 1, 4, 0, 0, 0);
    floats(&h, "model_weights/dw/dw/depthwise_kernel:0", 4, 1, 2, 3, 1);
    floats(&h, "model_weights/fc6/fc6_2/kernel:0", 2, 4, 6, 0, 0);   /* TensorFlow 1 */
    floats(&h, "model_weights/inner/res2a/kernel:0", 4, 1, 1, 2, 3); /* of a model inside */
    floats(&h, "optimizer_weights/Adam/conv1/kernel/m:0", 4, 1, 2, 3, 4);
    text_attribute(&h, "model_weights", "keras_version", "2.4.0");
    open_test(&h);
    CU_ASSERT_EQUAL(h.t.file.n, 5);
    CU_ASSERT(has_axes(&h, "conv1/kernel:0", "hwio") && has_axes(&h, "conv1/bias:0", NULL));
    CU_ASSERT(has_axes(&h, "dw/depthwise_kernel:0", "hwio"));
    CU_ASSERT(has_axes(&h, "fc6/kernel:0", "io"));
    CU_ASSERT(has_axes(&h, "inner/res2a/kernel:0", "hwio"));
    CU_ASSERT_EQUAL(memcmp(filetest_floats(&h.t, "conv1/kernel:0"), numbers, 96), 0);
    CU_ASSERT_PTR_NOT_NULL(tensor(&h, "conv1/kernel:0")->bytes); /* it stays in the map */
    finish(&h);
}

/* .weights.h5 of Keras 3: numbered variables, the layer's name an attribute. */
static void test_keras3(void)
{
    H5Test h;
    begin(&h);
    floats(&h, "layers/conv2d/vars/0", 4, 1, 2, 3, 4);
    floats(&h, "layers/conv2d/vars/1", 1, 4, 0, 0, 0);
    floats(&h, "layers/functional/layers/conv2d/vars/0", 4, 1, 1, 2, 3);
    floats(&h, "layers/dense/vars/0", 2, 2, 3, 0, 0);
    floats(&h, "layers/layer_normalization/vars/0", 1, 3, 0, 0, 0);
    floats(&h, "layers/layer_normalization/vars/1", 1, 3, 0, 0, 0);
    floats(&h, "layers/dropout/seed_generator/vars/0", 1, 2, 0, 0, 0);
    floats(&h, "optimizer/vars/0", 1, 2, 0, 0, 0);
    floats(&h, "layers/batch_normalization/vars/0", 1, 3, 0, 0, 0);
    floats(&h, "layers/batch_normalization/vars/1", 1, 3, 0, 0, 0);
    floats(&h, "layers/batch_normalization/vars/2", 1, 3, 0, 0, 0);
    floats(&h, "layers/batch_normalization/vars/3", 1, 3, 0, 0, 0);
    text_attribute(&h, "layers/conv2d/vars", "name", "conv1");
    text_attribute(&h, "layers/functional/layers/conv2d/vars", "name", "res2a_branch2a");
    text_attribute(&h, "layers/batch_normalization/vars", "name", "bn_conv1");
    open_test(&h);
    CU_ASSERT_EQUAL(h.t.file.n, 10);
    CU_ASSERT(has_axes(&h, "conv1/kernel", "hwio") && has_axes(&h, "conv1/bias", NULL));
    CU_ASSERT(has_axes(&h, "functional/res2a_branch2a/kernel", "hwio"));
    CU_ASSERT(has_axes(&h, "dense/kernel", "io")); /* no name: the group's */
    CU_ASSERT(has_axes(&h, "bn_conv1/moving_variance", NULL));
    tensor(&h, "bn_conv1/gamma");
    tensor(&h, "layer_normalization/beta"); /* by its class */
    finish(&h);
}

static const char *place(H5Test *h, const char *name)
{
    const char *found = tensor(h, name)->place;
    return found ? found : "";
}

/* Names with slashes, and layers that TensorFlow or a session has numbered. */
static void test_names(void)
{
    H5Test h;
    begin(&h);
    floats(&h, "conv1/bn/conv1/bn/gamma:0", 1, 4, 0, 0, 0);
    floats(&h, "bn/bn/gamma:0", 1, 4, 0, 0, 0);
    floats(&h, "dense_3/dense_3/kernel:0", 2, 2, 3, 0, 0);
    floats(&h, "dense_11/dense_11/kernel:0", 2, 2, 3, 0, 0);
    floats(&h, "dense_11/dense_11/bias:0", 1, 3, 0, 0, 0);
    floats(&h, "inner/inner/conv2d_7/kernel:0", 4, 1, 2, 3, 4);
    text_attribute(&h, "/", "keras_version", "2.4.0");
    open_test(&h);
    tensor(&h, "conv1/bn/gamma:0");
    tensor(&h, "bn/gamma:0");
    CU_ASSERT_STRING_EQUAL(place(&h, "dense_3/kernel:0"), "dense/kernel:0");
    CU_ASSERT_STRING_EQUAL(place(&h, "dense_11/kernel:0"), "dense_1/kernel:0");
    CU_ASSERT_STRING_EQUAL(place(&h, "dense_11/bias:0"), "dense_1/bias:0");
    tensor(&h, "inner/conv2d_7/kernel:0");
    finish(&h);
}

/* Weights that have numbers, by the class of the layer; no metrics and no optimizer, also of
 * a model inside. */
static void test_classes(void)
{
    H5Test h;
    begin(&h);
    floats(&h, "layers/separable_conv2d_1/vars/0", 4, 3, 1, 2, 1);
    floats(&h, "layers/separable_conv2d_1/vars/1", 4, 1, 1, 2, 3);
    floats(&h, "layers/separable_conv2d_1/vars/2", 1, 3, 0, 0, 0);
    floats(&h, "layers/batch_normalization/vars/0", 1, 3, 0, 0, 0);
    floats(&h, "layers/batch_normalization/vars/1", 1, 3, 0, 0, 0);
    floats(&h, "layers/batch_normalization/vars/2", 1, 3, 0, 0, 0);
    floats(&h, "layers/batch_normalization_1/vars/0", 1, 3, 0, 0, 0);
    floats(&h, "layers/batch_normalization_1/vars/1", 1, 3, 0, 0, 0);
    floats(&h, "layers/functional/optimizer/vars/0", 1, 2, 0, 0, 0);
    floats(&h, "metrics/mean/vars/0", 0, 0, 0, 0, 0);
    floats(&h, "layers/metrics/vars/0", 1, 2, 0, 0, 0); /* a layer that is called so */
    text_attribute(&h, "layers/separable_conv2d_1/vars", "name", "sep");
    text_attribute(&h, "layers/batch_normalization/vars", "name", "batch_normalization_7");
    open_test(&h);
    CU_ASSERT_EQUAL(h.t.file.n, 9);
    CU_ASSERT(has_axes(&h, "sep/depthwise_kernel", "hwio"));
    CU_ASSERT(has_axes(&h, "sep/pointwise_kernel", "hwio"));
    CU_ASSERT_STRING_EQUAL(place(&h, "sep/bias"), "sep/bias"); /* somebody called it so */
    CU_ASSERT_STRING_EQUAL(place(&h, "batch_normalization_7/beta"), "batch_normalization/beta");
    tensor(&h, "batch_normalization_7/moving_mean");
    tensor(&h, "batch_normalization_1/moving_mean");
    tensor(&h, "metrics/0");
    CU_ASSERT_PTR_NOT_NULL(strstr(buf_text(&h.t.diag.out), "1 normalisations have three vectors"));
    finish(&h);
}

/* A .keras file: layers as JSON, which say names and what a normalisation has. */
static void test_keras_archive(void)
{
    static const char config[] =
        "{\"class_name\": \"Functional\", \"config\": {\"layers\": ["
        "{\"class_name\": \"Conv2D\", \"config\": {\"name\": \"a\"}},"
        "{\"class_name\": \"pkg>PReLU\", \"config\": {\"name\": \"p\"}},"
        "{\"class_name\": \"Sequential\", \"config\": {\"name\": \"s\", \"layers\": ["
        "{\"class_name\": \"BatchNormalization\", \"config\": {\"name\": \"n\", "
        "\"scale\": true, \"center\": false}}]}},"
        "{\"class_name\": \"Conv2D\", \"config\": {\"name\": \"b\"}}]}}";
    H5Test h;
    ZipTest z;
    char image[32768];
    begin(&h);
    floats(&h, "layers/conv2d/vars/0", 4, 1, 2, 3, 4);
    floats(&h, "layers/conv2d_1/vars/0", 4, 1, 2, 3, 4);
    floats(&h, "layers/p_re_lu/vars/0", 1, 4, 0, 0, 0);
    floats(&h, "layers/sequential/layers/batch_normalization/vars/0", 1, 3, 0, 0, 0);
    floats(&h, "layers/sequential/layers/batch_normalization/vars/1", 1, 3, 0, 0, 0);
    floats(&h, "layers/sequential/layers/batch_normalization/vars/2", 1, 3, 0, 0, 0);
    CU_ASSERT_FATAL(H5Fclose(h.id) >= 0);
    FILE *in = fopen(h.path, "rb");
    CU_ASSERT_PTR_NOT_NULL_FATAL(in);
    const size_t size = fread(image, 1, sizeof image, in);
    CU_ASSERT_FATAL(size > 0 && size < sizeof image);
    fclose(in);
    unlink(h.path);
    zip_begin(&z, &h.t);
    zip_store(&z, "config.json", config, strlen(config));
    zip_store(&z, "model.weights.h5", image, size);
    zip_open_test(&z);
    CU_ASSERT_EQUAL(memcmp(filetest_floats(&h.t, "a/kernel"), numbers, 96), 0);
    tensor(&h, "b/kernel");
    tensor(&h, "p/alpha");
    tensor(&h, "sequential/n/gamma");
    tensor(&h, "sequential/n/moving_mean");
    CU_ASSERT_STRING_EQUAL(place(&h, "b/kernel"), "b/kernel");
    filetest_close(&h.t);
    /* What is no HDF5 file in it. */
    zip_begin(&z, &h.t);
    zip_store(&z, "model.weights.h5", "x", 1);
    zip_open_test(&z);
    filetest_refused(&h.t, "the HDF5 file is damaged or cut off");
}

/* Without a sign of Keras, nothing is said of the order of axes. */
static void test_plain(void)
{
    H5Test h;
    begin(&h);
    floats(&h, "conv1/kernel", 4, 1, 2, 3, 4);
    floats(&h, "alone", 0, 0, 0, 0, 0);
    floats(&h, "none", 2, 3, 0, 0, 0);
    open_test(&h);
    CU_ASSERT(has_axes(&h, "conv1/kernel", NULL));
    CU_ASSERT(tensor(&h, "alone")->rank == 0 && tensor(&h, "alone")->size == 4);
    CU_ASSERT_EQUAL(tensor(&h, "none")->size, 0);
    finish(&h);
}

static hid_t chunks(hsize_t a)
{
    const hid_t create = H5Pcreate(H5P_DATASET_CREATE);
    H5Pset_chunk(create, 1, &a);
    return create;
}

static void test_elements(void)
{
    H5Test h;
    const hsize_t n = 24;
    begin(&h);
    const hid_t half = H5Tcopy(H5T_IEEE_F32LE), packed = chunks(5);
    H5Tset_fields(half, 15, 10, 5, 0, 10);
    H5Tset_size(half, 2);
    H5Tset_ebias(half, 15);
    H5Pset_shuffle(packed);
    H5Pset_deflate(packed, 9);
    H5Pset_fletcher32(packed);
    dataset(&h, "double", &n, 1, H5T_IEEE_F64LE, H5P_DEFAULT);
    dataset(&h, "big", &n, 1, H5T_IEEE_F32BE, H5P_DEFAULT);
    dataset(&h, "half", &n, 1, half, H5P_DEFAULT);
    dataset(&h, "int", &n, 1, H5T_STD_I32LE, H5P_DEFAULT);
    dataset(&h, "packed", &n, 1, H5T_IEEE_F32LE, packed);
    H5Pclose(packed);
    H5Tclose(half);
    open_test(&h);
    CU_ASSERT(tensor(&h, "half")->elem == STORED_F16 && tensor(&h, "int")->elem == STORED_OTHER);
    CU_ASSERT_PTR_NULL(tensor(&h, "packed")->bytes);
    CU_ASSERT_PTR_NULL(tensor(&h, "big")->bytes);
    static const char *const names[] = {"double", "big", "half", "packed"};
    for (int i = 0; i < 4; i++)
        CU_ASSERT_EQUAL(memcmp(filetest_floats(&h.t, names[i]), numbers, sizeof numbers), 0);
    finish(&h);
}

static void test_links(void)
{
    H5Test h;
    begin(&h);
    floats(&h, "a/kernel", 1, 4, 0, 0, 0);
    H5Lcreate_soft("/a", h.id, "b", H5P_DEFAULT, H5P_DEFAULT);
    refused(&h, "'/b' is a soft link");
    begin(&h);
    H5Lcreate_external("/etc/passwd", "/", h.id, "b", H5P_DEFAULT, H5P_DEFAULT);
    refused(&h, "'/b' is a link to another file");
    /* A group in itself, and one that is in two places. */
    begin(&h);
    group(&h, "a");
    H5Lcreate_hard(h.id, "/a", h.id, "/a/again", H5P_DEFAULT, H5P_DEFAULT);
    refused(&h, "'/a/again' is a group that is elsewhere in the file as well");
    begin(&h);
    group(&h, "a");
    H5Lcreate_hard(h.id, "/", h.id, "/a/root", H5P_DEFAULT, H5P_DEFAULT);
    refused(&h, "'/a/root' is a group that is elsewhere in the file as well");
    begin(&h);
    group(&h, "a");
    H5Lcreate_hard(h.id, "/a", h.id, "/b", H5P_DEFAULT, H5P_DEFAULT);
    refused(&h, "'/b' is a group that is elsewhere in the file as well");
    begin(&h);
    const hid_t type = H5Tcopy(H5T_NATIVE_FLOAT);
    H5Tcommit2(h.id, "type", type, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    H5Tclose(type);
    refused(&h, "'/type' is neither a group nor a dataset");
}

static void test_deep(void)
{
    H5Test h;
    char path[100] = "g";
    begin(&h);
    for (int i = 0; i < 40; i++) {
        group(&h, path);
        strcat(path, "/g");
    }
    refused(&h, "groups nest more than 32 deep");
}

static size_t unknown_filter(unsigned flags, size_t n, const unsigned values[], size_t bytes,
                             size_t *size, void **buffer)
{
    (void)flags, (void)n, (void)values, (void)size, (void)buffer;
    return bytes;
}

static void test_sets_refused(void)
{
    const H5Z_class2_t lzf = {H5Z_CLASS_T_VERS, 32000, 1, 1, "lzf", NULL, NULL, unknown_filter};
    const hsize_t n = 24, huge = (hsize_t)1 << 40, many[9] = {1, 1, 1, 1, 1, 1, 1, 1, 24};
    H5Test h;
    begin(&h);
    hid_t create = chunks(24);
    H5Zregister(&lzf);
    H5Pset_filter(create, 32000, H5Z_FLAG_MANDATORY, 0, NULL);
    dataset(&h, "w", &n, 1, H5T_IEEE_F32LE, create);
    H5Pclose(create);
    H5Fflush(h.id, H5F_SCOPE_LOCAL);
    open_test(&h);
    H5Zunregister(32000);
    filetest_refused(&h.t, "dataset '/w' cannot be read: it is compressed by LZF");
    unlink(h.path);

    begin(&h); /* nothing is written of it, but that it is there */
    create = chunks(1 << 20);
    hid_t space = H5Screate_simple(1, &huge, NULL);
    H5Dclose(H5Dcreate2(h.id, "w", H5T_IEEE_F32LE, space, H5P_DEFAULT, create, H5P_DEFAULT));
    H5Sclose(space);
    H5Pclose(create);
    refused(&h, "larger than its bytes can unpack to");

    begin(&h);
    space = H5Screate_simple(1, &huge, NULL);
    H5Dclose(H5Dcreate2(h.id, "w", H5T_IEEE_F32LE, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT));
    H5Sclose(space);
    refused(&h, "nothing was ever written to it");

    begin(&h);
    space = H5Screate(H5S_NULL);
    H5Dclose(H5Dcreate2(h.id, "w", H5T_IEEE_F32LE, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT));
    H5Sclose(space);
    refused(&h, "it has no extents");

    begin(&h);
    dataset(&h, "w", many, 9, H5T_IEEE_F32LE, H5P_DEFAULT);
    refused(&h, "more than 8 dimensions");

    begin(&h);
    create = H5Pcreate(H5P_DATASET_CREATE);
    H5Pset_external(create, "/dev/null", 0, 96);
    space = H5Screate_simple(1, &n, NULL);
    H5Dclose(H5Dcreate2(h.id, "w", H5T_IEEE_F32LE, space, H5P_DEFAULT, create, H5P_DEFAULT));
    H5Sclose(space);
    H5Pclose(create);
    refused(&h, "its data is in another file");
}

/* Cut off anywhere, it is refused, or what it still has is there. */
static void test_cut(void)
{
    H5Test h;
    unsigned char bytes[1 << 14];
    begin(&h);
    hid_t create = chunks(5);
    const hsize_t n = 24;
    H5Pset_deflate(create, 6);
    dataset(&h, "a/packed", &n, 1, H5T_IEEE_F32LE, create);
    H5Pclose(create);
    floats(&h, "b/kernel", 1, 24, 0, 0, 0);
    open_test(&h);
    CU_ASSERT(h.t.opened && h.t.file.n == 2);
    filetest_close(&h.t);
    FILE *f = fopen(h.path, "rb");
    CU_ASSERT_PTR_NOT_NULL_FATAL(f);
    const size_t size = fread(bytes, 1, sizeof bytes, f);
    fclose(f);
    unlink(h.path);
    CU_ASSERT_FATAL(size > 0 && size < sizeof bytes);
    for (size_t cut = 1; cut < size; cut += cut < 200 ? 1 : 13) {
        FileTest t = {0};
        filetest_open(&t, bytes, cut);
        CU_ASSERT(!t.opened && t.diag.errors == 1);
        filetest_close(&t);
    }
}

void suite_h5file(void)
{
    CU_pSuite suite = CU_add_suite("h5file", NULL, NULL);
    CU_ADD_TEST(suite, test_keras2);
    CU_ADD_TEST(suite, test_keras3);
    CU_ADD_TEST(suite, test_names);
    CU_ADD_TEST(suite, test_classes);
    CU_ADD_TEST(suite, test_keras_archive);
    CU_ADD_TEST(suite, test_plain);
    CU_ADD_TEST(suite, test_elements);
    CU_ADD_TEST(suite, test_links);
    CU_ADD_TEST(suite, test_deep);
    CU_ADD_TEST(suite, test_sets_refused);
    CU_ADD_TEST(suite, test_cut);
}
#else
#include "filetest.h"

/* By name, and what to install. */
static void test_refused(void)
{
    FileTest t = {0};
    filetest_open(&t, "\x89HDF\r\n\x1a\n........", 16);
    filetest_refused(&t, "built without libhdf5");
}

void suite_h5file(void)
{
    printf("skipped: libhdf5 is not installed, no tests of h5 files\n");
    CU_pSuite suite = CU_add_suite("h5file", NULL, NULL);
    CU_ADD_TEST(suite, test_refused);
}
#endif
