/* test_arrays.c: data sets in one file: CIFAR's binary, npz, h5. */
#include "train/set.h"

#include "settest.h"

#include <CUnit/CUnit.h>

#include <stdlib.h>
#include <string.h>

/* ---- CIFAR ---- */

enum { PIXELS = 3072 };

/* A record: pixel i of channel c is (i + 50 c + label) mod 256. */
static size_t put_record(unsigned char *to, int coarse, int label)
{
    size_t n = 0;
    if (coarse >= 0)
        to[n++] = (unsigned char)coarse;
    to[n++] = (unsigned char)label;
    for (int c = 0; c < 3; c++) {
        for (int i = 0; i < 1024; i++)
            to[n++] = (unsigned char)(i + 50 * c + label);
    }
    return n;
}

static bool pixels_are_right(const rnct_set *set)
{
    for (size_t s = 0; s < set->n; s++) {
        for (int i = 0; i < PIXELS; i++) {
            if (set->pixels[s * PIXELS + (size_t)i] !=
                (unsigned char)(i / 3 + 50 * (i % 3) + set->labels[s]))
                return false;
        }
    }
    return set->h == 32 && set->w == 32 && set->c == 3;
}

static void test_cifar10(void)
{
    static unsigned char bytes[11 * 3073];
    static const char names[] = "plane\ncar\nbird\ncat\ndeer\ndog\nfrog\nhorse\nship\ntruck\n\n";
    SetTest t;
    char name[32];
    size_t n = 0;
    set_begin(&t);
    for (int i = 0; i < 10; i++)
        n += put_record(bytes + n, -1, i);
    for (int i = 1; i <= 5; i++) {
        snprintf(name, sizeof name, "data/data_batch_%d.bin", i);
        folder_write(&t.folder, name, bytes, i == 5 ? n : (size_t)i * 3073);
    }
    CU_ASSERT_FATAL(set_read(&t));
    no_problems(&t.problems);
    CU_ASSERT(t.set.n == 20 && t.set.classes == 10 && strcmp(t.set.names[9], "9") == 0);
    CU_ASSERT(pixels_are_right(&t.set));
    folder_write(&t.folder, "data/batches.meta.txt", names, sizeof names - 1);
    CU_ASSERT_FATAL(set_read(&t) && t.set.built); /* names are part of the sources */
    CU_ASSERT_STRING_EQUAL(t.set.names[9], "truck");
    folder_write(&t.folder, "data/batches.meta.txt", "plane\ncar\ncar\n", 14);
    set_refused(&t, "batches.meta.txt: has the class 'car' twice");
    folder_write(&t.folder, "data/batches.meta.txt", "pla\tne\n", 7);
    set_refused(&t, "give another name to 'pla\\x09ne'");
    folder_write(&t.folder, "data/batches.meta.txt", "plane\n", 6);
    set_refused(&t, "has 1 names, and CIFAR-10 has 10 classes");
    folder_write(&t.folder, "data/batches.meta.txt", names, sizeof names - 1);
    t.data.part = RNCT_TEST_OR_ALL;
    CU_ASSERT_FATAL(set_read(&t));
    CU_ASSERT_EQUAL(t.set.n, 20);
    folder_write(&t.folder, "data/test_batch.bin", bytes, n);
    CU_ASSERT_FATAL(set_read(&t));
    CU_ASSERT_EQUAL(t.set.n, 10);
    remove(folder_path(&t.folder, "data/test_batch.bin"));
    t.data.part = RNCT_TRAIN;
    bytes[0] = 10;
    folder_write(&t.folder, "data/data_batch_3.bin", bytes, n);
    set_refused(&t, "sample 3 has the label 10, which is not from 0 to 9");
    set_skips(&t, "sample 3 has the label 10");
    folder_write(&t.folder, "data/data_batch_3.bin", bytes, n - 1);
    set_refused(&t, "data_batch_3.bin: has 30729 bytes, which is no multiple of a record's 3073");
    remove(folder_path(&t.folder, "data/data_batch_3.bin"));
    folder_write(&t.folder, "data/data_batch_4.bin", bytes, 1);
    set_refused(&t, "data_batch_3.bin: cannot be read: No such file");
    says(&t.problems, "data_batch_4.bin: has 1 bytes"); /* all that is wrong, at once */
    folder_write(&t.folder, "data/batches.meta.txt", "plane\n", 6);
    set_refused(&t, "has 1 names, and CIFAR-10 has 10 classes");
    says(&t.problems, "data_batch_4.bin: has 1 bytes");
    CU_ASSERT_EQUAL(t.problems.n, 3);
    t.data.part = RNCT_TEST;
    set_refused(&t, "test_batch.bin: cannot be read");
    set_end(&t);
}

static void test_cifar100(void)
{
    static unsigned char bytes[100 * 3074];
    SetTest t;
    size_t n = 0;
    set_begin(&t);
    for (int i = 0; i < 100; i++)
        n += put_record(bytes + n, i / 5, i);
    folder_write(&t.folder, "data/train.bin", bytes, n);
    CU_ASSERT_FATAL(set_read(&t));
    CU_ASSERT(t.set.n == 100 && t.set.classes == 100 && pixels_are_right(&t.set));
    free((char *)(uintptr_t)t.data.path);
    t.data.path = strdup(folder_path(&t.folder, "data/train.bin"));
    CU_ASSERT_FATAL(set_read(&t) && t.set.n == 100 && pixels_are_right(&t.set));
    folder_write(&t.folder, "data/train.bin", bytes, n - 5);
    set_refused(&t, "is no data that is read: folders by class, a list of pictures");
    set_end(&t);
}

/* ---- npz ---- */

#ifdef RNC_HAVE_ZLIB
#include <zlib.h>

typedef struct Archive {
    unsigned char bytes[16384], directory[512];
    size_t n, n_directory;
    int members;
    bool deflated;
} Archive;

static void put(unsigned char *to, size_t *n, uint64_t x, int bytes)
{
    for (int i = 0; i < bytes; i++)
        to[(*n)++] = (unsigned char)(i < 8 ? x >> 8 * i : 0);
}

static void put_text(unsigned char *to, size_t *n, const void *text, size_t size)
{
    memcpy(to + *n, text, size);
    *n += size;
}

/* Adds an array with such a head ("'|u1'", "(2, 3)"). */
static void add_array(Archive *a, const char *name, const char *descr, const char *shape,
                      const void *data, size_t size)
{
    unsigned char member[4096], packed[8192];
    char head[256];
    size_t n = 0;
    uLong n_packed = 0;
    const int length = snprintf(
        head, sizeof head, "{'descr': %s, 'fortran_order': False, 'shape': %s, }\n", descr, shape);
    put_text(member, &n, "\x93NUMPY\1\0", 8);
    put(member, &n, (uint64_t)length, 2);
    put_text(member, &n, head, (size_t)length);
    put_text(member, &n, data, size);
    z_stream z = {.next_in = member, .avail_in = (uInt)n, .next_out = packed};
    z.avail_out = sizeof packed;
    deflateInit2(&z, 9, Z_DEFLATED, -MAX_WBITS, 8, Z_DEFAULT_STRATEGY);
    CU_ASSERT_EQUAL(deflate(&z, Z_FINISH), Z_STREAM_END);
    n_packed = a->deflated ? z.total_out : n;
    deflateEnd(&z);
    const size_t at = a->n;
    const uint64_t facts[] = {a->deflated ? 8 : 0, 0, crc32(0, member, (uInt)n), n_packed, n};
    static const int bytes[] = {2, 4, 4, 4, 4};
    put_text(a->bytes, &a->n, "PK\3\4\x14\0\0\0", 8);
    put_text(a->directory, &a->n_directory, "PK\1\2\x14\0\x14\0\0\0", 10);
    for (int i = 0; i < 5; i++) {
        put(a->bytes, &a->n, facts[i], bytes[i]);
        put(a->directory, &a->n_directory, facts[i], bytes[i]);
    }
    put(a->bytes, &a->n, strlen(name), 4);
    put(a->directory, &a->n_directory, strlen(name), 14);
    put(a->directory, &a->n_directory, at, 4);
    put_text(a->bytes, &a->n, name, strlen(name));
    put_text(a->directory, &a->n_directory, name, strlen(name));
    put_text(a->bytes, &a->n, a->deflated ? packed : member, n_packed);
    a->members++;
}

static void end_archive(Archive *a)
{
    const size_t at = a->n;
    put_text(a->bytes, &a->n, a->directory, a->n_directory);
    put_text(a->bytes, &a->n, "PK\5\6\0\0\0\0", 8);
    put(a->bytes, &a->n, (uint64_t)a->members, 2);
    put(a->bytes, &a->n, (uint64_t)a->members, 2);
    put(a->bytes, &a->n, a->n_directory, 4);
    put(a->bytes, &a->n, at, 4);
    put(a->bytes, &a->n, 0, 2);
}

static const unsigned char x_bytes[36] = {0,  1,  2,  3,  4,  5,  6,  7,  8,  9,  10, 11,
                                          12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23,
                                          24, 25, 26, 27, 28, 29, 30, 31, 32, 33, 34, 35};
static const unsigned char y_bytes[24] = {1, 0, 0, 0, 0, 0, 0, 0, 0};

static Archive archive;

/* An archive of x and y with these types and shapes, as the data. */
static void put_npz(SetTest *t, const char *x_type, const char *x_shape, const char *y_type,
                    const char *y_shape, size_t y_size)
{
    archive = (Archive){.deflated = archive.deflated};
    add_array(&archive, "x.npy", x_type, x_shape, x_bytes, sizeof x_bytes);
    add_array(&archive, "y.npy", y_type, y_shape, y_bytes, y_size);
    end_archive(&archive);
    folder_write(&t->folder, "data", archive.bytes, archive.n);
}

static void test_npz(void)
{
    SetTest t;
    set_begin(&t);
    for (int deflated = 0; deflated < 2; deflated++) {
        archive.deflated = deflated;
        put_npz(&t, "'|u1'", "(2, 2, 3, 3)", "'<i8'", "(2,)", 16);
        CU_ASSERT_FATAL(set_read(&t));
        no_problems(&t.problems);
        CU_ASSERT(t.set.n == 2 && t.set.h == 2 && t.set.w == 3 && t.set.c == 3);
        CU_ASSERT(t.set.labels[0] == 1 && t.set.labels[1] == 0 && t.set.classes == 2);
        CU_ASSERT_EQUAL(memcmp(t.set.pixels, x_bytes, 36), 0);
    }
    put_npz(&t, "'|u1'", "(2, 3, 2, 3)", "'<i4'", "(2, 1)", 8); /* still channels last */
    CU_ASSERT_FATAL(set_read(&t) && t.set.h == 3 && t.set.w == 2 && t.set.c == 3);
    put_npz(&t, "'|u1'", "(2, 3, 3, 2)", "'<u2'", "(2)", 4); /* channels first */
    CU_ASSERT_FATAL(set_read(&t) && t.set.h == 3 && t.set.w == 2 && t.set.c == 3);
    CU_ASSERT(t.set.pixels[0] == 0 && t.set.pixels[1] == 6 && t.set.pixels[2] == 12 &&
              t.set.pixels[3] == 1 && t.set.pixels[18] == 18);
    put_npz(&t, "'|u1'", "(2, 6, 3)", "'|u1'", "(2,)", 2);
    CU_ASSERT_FATAL(set_read(&t) && t.set.h == 6 && t.set.w == 3 && t.set.c == 1);
    set_end(&t);
}

static void test_npz_refusals(void)
{
    static const unsigned char negative[16] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
    SetTest t;
    set_begin(&t);
    archive.deflated = false;
    put_npz(&t, "'<f4'", "(1, 3, 3, 1)", "'<i8'", "(1,)", 8);
    set_refused(&t, "the pictures have the type '<f4': pixels of type uint8");
    put_npz(&t, "'<f4'", "(1, 3, 3, 1)", "'<f8'", "(1,)", 8);
    set_refused(&t, "the pictures have the type '<f4'");
    says(&t.problems, "the labels have the type '<f8': whole numbers are read");
    put_npz(&t, "'|u1'", "(2, 2, 3, 3)", "'<f8'", "(2,)", 16);
    set_refused(&t, "the labels have the type '<f8': whole numbers are read");
    put_npz(&t, "'|u1'", "(2, 2, 3, 3)", "'<i8'", "(3,)", 24);
    set_refused(&t, "has 2 pictures and 3 labels");
    put_npz(&t, "'|u1'", "(2, 9, 2)", "'<i8'", "(2,)", 8);
    set_refused(&t, "the array 'y' cannot be read");
    put_npz(&t, "'|u1'", "(36,)", "'<i8'", "(2,)", 16);
    set_refused(&t, "the pictures have 1 axes");
    put_npz(&t, "'|u1'", "(99999999999, 99999999999)", "'<i8'", "(2,)", 16);
    set_refused(&t, "the array 'x' cannot be read");
    archive = (Archive){0};
    add_array(&archive, "x_test.npy", "'|u1'", "(2, 2, 3, 3)", x_bytes, 36);
    end_archive(&archive);
    folder_write(&t.folder, "data", archive.bytes, archive.n);
    set_refused(&t, "has the pictures 'x_test' and no labels 'y_test'");
    archive = (Archive){0};
    add_array(&archive, "x_train.npy", "'|u1'", "(2, 2, 3, 3)", x_bytes, 36);
    add_array(&archive, "y_train.npy", "'<i8'", "(2,)", negative, 16);
    end_archive(&archive);
    folder_write(&t.folder, "data", archive.bytes, archive.n);
    set_refused(&t, "sample 0 has the label -1, which is not from 0");
    set_skips(&t, "sample 0 has the label -1");
    t.data.part = RNCT_TEST;
    set_refused(&t, "has no arrays x and y, nor x_test and y_test");
    t.data.part = RNCT_TEST_OR_ALL;
    set_skips(&t, "sample 0 has the label -1");
    set_end(&t);
}

/* Cut off anywhere or changed anywhere: refused, or the change is where nothing is read. */
static void test_npz_damage(void)
{
    SetTest t;
    set_begin(&t);
    for (int deflated = 0; deflated < 2; deflated++) {
        archive.deflated = deflated;
        put_npz(&t, "'|u1'", "(2, 2, 3, 3)", "'<i8'", "(2,)", 16);
        for (size_t n = 0; n < archive.n; n++) {
            folder_write(&t.folder, "data", archive.bytes, n);
            CU_ASSERT_FALSE(set_read(&t));
        }
        for (size_t i = 0; i < archive.n; i++) {
            archive.bytes[i] ^= 0x15;
            folder_write(&t.folder, "data", archive.bytes, archive.n);
            CU_ASSERT(!set_read(&t) || memcmp(t.set.pixels, x_bytes, 36) == 0);
            archive.bytes[i] ^= 0x15;
        }
    }
    set_end(&t);
}
#endif

/* ---- h5 ---- */

#ifdef RNC_HAVE_HDF5
#define H5_USE_110_API
#include <hdf5.h>

static void put_set(hid_t file, const char *name, int rank, const hsize_t *dims, hid_t type,
                    const int *numbers, bool packed)
{
    const hid_t space = H5Screate_simple(rank, dims, NULL), plist = H5Pcreate(H5P_DATASET_CREATE);
    if (packed) {
        H5Pset_chunk(plist, rank, dims);
        H5Pset_deflate(plist, 6);
    }
    const hid_t id = H5Dcreate2(file, name, type, space, H5P_DEFAULT, plist, H5P_DEFAULT);
    CU_ASSERT_FATAL(id >= 0);
    CU_ASSERT_FATAL(H5Dwrite(id, H5T_NATIVE_INT, H5S_ALL, H5S_ALL, H5P_DEFAULT, numbers) >= 0);
    H5Dclose(id);
    H5Pclose(plist);
    H5Sclose(space);
}

/* The course's file: pictures, labels, classes. */
static void put_h5(SetTest *t, const char *part, hid_t type, int n_labels, bool packed)
{
    static const hsize_t x_dims[] = {4, 2, 3, 3}, classes[] = {3};
    static const int labels[] = {2, 0, 1, 2, 0};
    const hsize_t y_dims[] = {(hsize_t)n_labels};
    char name[32];
    int numbers[72];
    for (int i = 0; i < 72; i++)
        numbers[i] = 3 * i;
    const hid_t file =
        H5Fcreate(folder_path(&t->folder, "data"), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
    CU_ASSERT_FATAL(file >= 0);
    snprintf(name, sizeof name, "%s_set_x", part);
    put_set(file, name, 4, x_dims, type, numbers, packed);
    snprintf(name, sizeof name, "%s_set_y", part);
    put_set(file, name, 1, y_dims, H5T_STD_I64BE, labels, false);
    put_set(file, "list_classes", 1, classes, H5T_STD_I64LE, labels + 1, false);
    H5Fclose(file);
}

static void test_h5(void)
{
    SetTest t;
    set_begin(&t);
    for (int packed = 0; packed < 2; packed++) {
        put_h5(&t, "train", H5T_STD_U8LE, 4, packed);
        CU_ASSERT_FATAL(set_read(&t));
        no_problems(&t.problems);
        CU_ASSERT(t.set.n == 4 && t.set.h == 2 && t.set.w == 3 && t.set.c == 3);
        CU_ASSERT(t.set.labels[0] == 2 && t.set.labels[1] == 0 && t.set.classes == 3);
        CU_ASSERT(t.set.pixels[0] == 0 && t.set.pixels[71] == 213);
        CU_ASSERT_STRING_EQUAL(t.set.names[1], "1");
    }
    put_h5(&t, "test", H5T_STD_U8LE, 4, false);
    CU_ASSERT_FATAL(set_read(&t) && t.set.n == 4); /* the only part that is there */
    put_h5(&t, "train", H5T_STD_U8LE, 5, false);
    set_refused(&t, "has 4 pictures and 5 labels");
    put_h5(&t, "train", H5T_IEEE_F32LE, 4, false);
    set_refused(&t, "dataset 'train_set_x' cannot be read: it has no whole numbers");
    put_h5(&t, "train", H5T_STD_I16LE, 4, false);
    set_refused(&t, "its pixels are no unsigned bytes");
    put_h5(&t, "dev", H5T_STD_U8LE, 4, false);
    set_refused(&t, "has neither train_set_x and train_set_y nor test_set_x");
    folder_write(&t.folder, "data", "\x89HDF\r\n\x1a\n and nothing else", 24);
    set_refused(&t, "the HDF5 file is damaged");
    set_end(&t);
}
#endif

void suite_arrays(void)
{
    CU_pSuite suite = CU_add_suite("arrays", NULL, NULL);
    CU_ADD_TEST(suite, test_cifar10);
    CU_ADD_TEST(suite, test_cifar100);
#ifdef RNC_HAVE_ZLIB
    CU_ADD_TEST(suite, test_npz);
    CU_ADD_TEST(suite, test_npz_refusals);
    CU_ADD_TEST(suite, test_npz_damage);
#endif
#ifdef RNC_HAVE_HDF5
    CU_ADD_TEST(suite, test_h5);
#endif
}
