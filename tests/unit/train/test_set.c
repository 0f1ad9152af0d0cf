/* test_set.c: data sets of files: folders by class, names with the class, lists. */
#include "train/set.h"

#include "settest.h"

#include <CUnit/CUnit.h>

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#ifdef RNC_HAVE_PICTURES

/* The red of each picture and its class: "dog:10 cat:20 ". */
static const char *summary(const rnct_set *set)
{
    static char text[512];
    size_t n = 0;
    text[0] = '\0';
    for (size_t i = 0; i < set->n && n < sizeof text; i++)
        n += (size_t)snprintf(text + n, sizeof text - n, "%s:%d ", set->names[set->labels[i]],
                              set->pixels[i * (size_t)(set->h * set->w * set->c)]);
    return text;
}

static void read_is(SetTest *t, const char *expected)
{
    CU_ASSERT_FATAL(set_read(t));
    no_problems(&t->problems);
    CU_ASSERT_STRING_EQUAL(summary(&t->set), expected);
    if (strcmp(summary(&t->set), expected) != 0)
        printf("found: %s\n", summary(&t->set));
}

static void put_list(SetTest *t, const char *text)
{
    folder_write(&t->folder, "data", text, strlen(text));
}

static void put_animals(SetTest *t)
{
    put_png(t, "data/dog/b.png", 4, 5, 11);
    put_png(t, "data/dog/a.PNG", 4, 5, 10);
    put_png(t, "data/cat/deep/er/c.jpeg", 4, 5, 20); /* it is what it is, not what it is called */
    put_png(t, "data/ape/d.jpg", 4, 5, 30);
    folder_write(&t->folder, "data/ape/notes.txt", "x", 1);
    folder_write(&t->folder, "data/.hidden/e.png", "x", 1);
    folder_write(&t->folder, "data/ape/.e.png", "x", 1);
}

static void test_folders(void)
{
    SetTest t;
    set_begin(&t);
    put_animals(&t);
    read_is(&t, "ape:30 cat:20 dog:10 dog:11 ");
    CU_ASSERT(t.set.h == 4 && t.set.w == 5 && t.set.c == 3 && t.set.classes == 3);
    CU_ASSERT(t.set.pixels[1] == 100 && t.set.pixels[2] == 200);
    CU_ASSERT_EQUAL(t.set.ignored, 1);
    CU_ASSERT_EQUAL(symlink("../dog/a.PNG", folder_path(&t.folder, "data/cat/a.png")), 0);
    read_is(&t, "ape:30 cat:10 cat:20 dog:10 dog:11 ");
    const char *const order[] = {"dog", "cat", "ape"};
    t.data.classes = order;
    t.data.n_classes = 3;
    read_is(&t, "ape:30 cat:10 cat:20 dog:10 dog:11 ");
    CU_ASSERT_EQUAL(t.set.labels[0], 2);
    set_end(&t);
}

/* Numbers are sorted as numbers. */
static void test_numbers(void)
{
    SetTest t;
    set_begin(&t);
    put_png(&t, "data/10/a.png", 2, 2, 10);
    put_png(&t, "data/9/a.png", 2, 2, 9);
    put_png(&t, "data/x/a.png", 2, 2, 1);
    CU_ASSERT_FATAL(set_read(&t));
    CU_ASSERT(strcmp(t.set.names[0], "9") == 0 && strcmp(t.set.names[1], "10") == 0 &&
              strcmp(t.set.names[2], "x") == 0);
    set_end(&t);
}

static void test_broken_files(void)
{
    SetTest t;
    set_begin(&t);
    put_animals(&t);
    folder_write(&t.folder, "data/dog/empty.png", "", 0);
    folder_write(&t.folder, "data/dog/text.png", "text", 4);
    CU_ASSERT_EQUAL(symlink("nowhere", folder_path(&t.folder, "data/dog/gone.png")), 0);
    CU_ASSERT_EQUAL(mkfifo(folder_path(&t.folder, "data/dog/fifo.png"), 0666), 0);
    set_refused(&t, "dog/gone.png: cannot be read: No such file or directory");
    CU_ASSERT_EQUAL(access(folder_path(&t.folder, "cache"), F_OK), -1);
    says(&t.problems, "dog/fifo.png: is not an ordinary file");
    unlink(folder_path(&t.folder, "data/dog/gone.png"));
    unlink(folder_path(&t.folder, "data/dog/fifo.png"));
    set_refused(&t, "dog/empty.png: the file is empty");
    says(&t.problems, "dog/text.png: neither a JPEG nor a PNG file");
    set_skips(&t, "dog/text.png: neither");
    CU_ASSERT_STRING_EQUAL(summary(&t.set), "ape:30 cat:20 dog:10 dog:11 ");
    CU_ASSERT(t.set.skipped == 2 && t.set.built);
    t.data.skip = true; /* once more, from the cache */
    CU_ASSERT_FATAL(set_read(&t) && !t.set.built && t.set.skipped == 2);
    /* A class whose only picture is broken. */
    folder_write(&t.folder, "data/cat/deep/er/c.jpeg", "", 0);
    set_skips(&t, "class 'cat' (1 of 3) has no samples that can be used");
    CU_ASSERT_EQUAL(t.set.classes, 3);
    set_end(&t);
}

/* What is wrong with the list, with its classes and with its pictures is said at once, in this
 * order, and nothing is written. */
static void test_all_at_once(void)
{
    static const char *const found[] = {
        "the classes 0 and 2 that are expected are both called 'cat'",
        "data: line 3 is not a path, a TAB and a class",
        "p/b.png: its class 'emu' is none of the 4 that are expected",
        "p/gone.png: cannot be read: No such file",
        "./p/a.png: line 6 names the file that line 1 calls 'p/a.png'",
        "class 'ape' (3 of 4) has no samples",
        "cache: is no cache of rnc, and is not overwritten",
        "p/broken.png: neither a JPEG nor a PNG file",
        "p/large.png: has 6 x 8 pixels, and the first picture has 5 x 4"};
    const size_t n = sizeof found / sizeof *found;
    const char *const expected[] = {"cat", "dog", "cat", "ape"};
    SetTest t;
    set_begin(&t);
    put_png(&t, "p/a.png", 4, 5, 1);
    put_png(&t, "p/b.png", 4, 5, 2);
    put_png(&t, "p/large.png", 8, 6, 3);
    folder_write(&t.folder, "p/broken.png", "x", 1);
    folder_write(&t.folder, "cache", "my thesis", 9);
    put_list(&t, "p/a.png\tcat\np/broken.png\tcat\nx\np/b.png\temu\np/gone.png\tdog\n"
                 "./p/a.png\tcat\np/large.png\tdog\n");
    t.data.classes = expected;
    t.data.n_classes = 4;
    set_refused(&t, found[0]);
    CU_ASSERT_EQUAL_FATAL(t.problems.n, n);
    for (size_t i = 0; i < n; i++)
        CU_ASSERT_PTR_NOT_NULL(strstr(t.problems.text[i], found[i]));
    CU_ASSERT_EQUAL(folder_count(&t.folder), 3); /* data, p, cache */
    remove(folder_path(&t.folder, "cache"));
    CU_ASSERT_FALSE(set_read(&t));
    CU_ASSERT_EQUAL(t.problems.n, n - 1);
    CU_ASSERT_EQUAL(access(folder_path(&t.folder, "cache"), F_OK), -1);
    t.problems.n = 0; /* nor without a cache */
    CU_ASSERT_FALSE(rnct_set_look(&t.data, &t.problems, &t.skipped));
    CU_ASSERT_EQUAL(t.problems.n, n - 1);
    /* With what is broken left out, what is left is refused: the expected classes. */
    t.data.skip = true;
    CU_ASSERT_FALSE(set_read(&t));
    CU_ASSERT_EQUAL(t.problems.n, 1);
    says(&t.skipped, found[1]);
    says(&t.skipped, found[n - 1]);
    put_list(&t, "p/broken.png\tcat\n");
    CU_ASSERT_FALSE(set_read(&t));
    CU_ASSERT_EQUAL(t.problems.n, 2);
    says(&t.problems, "has no samples that can be used");
    t.data.classes = NULL;
    t.data.n_classes = 0;
    put_list(&t, "p/a.png\tcat\n");
    t.skipped.n = t.problems.n = 0;
    CU_ASSERT(rnct_set_look(&t.data, &t.problems, &t.skipped) && t.skipped.n == 0);
    no_problems(&t.problems);
    set_end(&t);
}

/* What is wrong is said in the order of names, not in that in which the files were made. */
static void test_order_of_problems(void)
{
    static const char *const made[] = {"b", "d", "a", "c"};
    SetTest t;
    char name[64];
    set_begin(&t);
    put_animals(&t);
    for (size_t i = 0; i < 8; i++) {
        snprintf(name, sizeof name, "data/%s/%s.png", i < 4 ? "dog" : "ape", made[i % 4]);
        unlink(folder_path(&t.folder, name));
        CU_ASSERT_EQUAL(symlink("nowhere", folder_path(&t.folder, name)), 0);
    }
    CU_ASSERT_FALSE(set_read(&t));
    CU_ASSERT_EQUAL_FATAL(t.problems.n, 8);
    for (size_t i = 0; i < 8; i++) {
        snprintf(name, sizeof name, "data/%s/%c.png: cannot be read", i < 4 ? "ape" : "dog",
                 "abcd"[i % 4]);
        CU_ASSERT_PTR_NOT_NULL(strstr(t.problems.text[i], name));
    }
    set_end(&t);
}

static void test_many_broken(void)
{
    SetTest t;
    char name[64];
    set_begin(&t);
    for (int i = 0; i < 70; i++) {
        snprintf(name, sizeof name, "data/a/%02d.png", i);
        folder_write(&t.folder, name, "x", 1);
    }
    set_refused(&t, "a/19.png: neither");
    CU_ASSERT_EQUAL(t.problems.n, 70);
    t.data.skip = true;
    CU_ASSERT_FALSE(set_read(&t));
    says(&t.problems, "has no samples that can be used");
    CU_ASSERT_EQUAL(t.skipped.n, 70);
    set_end(&t);
}

static void test_sizes(void)
{
    SetTest t;
    set_begin(&t);
    put_animals(&t);
    put_png(&t, "data/dog/z.png", 8, 6, 50);
    set_refused(&t, "dog/z.png: has 6 x 8 pixels, and the first picture has 5 x 4");
    set_skips(&t, "dog/z.png: has 6 x 8");
    CU_ASSERT_EQUAL(t.set.n, 4);
    t.data.h = t.data.w = 3;
    read_is(&t, "ape:30 cat:20 dog:10 dog:11 dog:50 ");
    CU_ASSERT(t.set.h == 3 && t.set.w == 3);
    t.data.w = 0;
    set_refused(&t, "the size 3 x 0 that is wanted is none");
    set_end(&t);
}

static void test_classes(void)
{
    SetTest t;
    set_begin(&t);
    put_animals(&t);
    CU_ASSERT_EQUAL(mkdir(folder_path(&t.folder, "data/emu"), 0777), 0);
    set_refused(&t, "class 'emu' (3 of 4) has no samples");
    set_skips(&t, "class 'emu' (3 of 4) has no samples");
    CU_ASSERT_EQUAL(t.set.classes, 4);
    rmdir(folder_path(&t.folder, "data/emu"));
    const char *const expected[] = {"ape", "cat"}, *const twice[] = {"ape", "cat", "ape"};
    t.data.classes = expected;
    t.data.n_classes = 2;
    set_refused(&t, "its class 'dog' is none of the 2 that are expected ('ape' and so on)");
    set_skips(&t, "its class 'dog' is none of the 2");
    CU_ASSERT_EQUAL(t.set.n, 2);
    t.data.classes = twice;
    t.data.n_classes = 3;
    set_refused(&t, "the classes 0 and 2 that are expected are both called 'ape'");
    t.data.classes = NULL;
    t.data.n_classes = 5;
    set_refused(&t, "has 3 classes, and 5 are expected");
    t.data.n_classes = 0;
    put_png(&t, "data/Dog/a.png", 4, 5, 1);
    set_refused(&t, "the classes 'Dog' and 'dog' differ in capitals only");
    set_skips(&t, "the classes 'Dog' and 'dog' differ");
    CU_ASSERT_EQUAL(t.set.classes, 4);
    set_end(&t);
}

/* A name that would break a file with a class a line is refused, whatever it comes from. */
static void test_class_names(void)
{
    static const char *const names[] = {"line\nbreak", "tab\t", "\x1b[2J",
                                        "c\xc2\x85",   "\x7f",  "\xe2\x80\xa9"};
    SetTest t;
    char name[64];
    set_begin(&t);
    put_animals(&t);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        snprintf(name, sizeof name, "data/%s/%d.png", names[i], 1);
        put_png(&t, name, 4, 5, 1);
    }
    put_png(&t, "data/line\nbreak/2.png", 4, 5, 1); /* is not said again */
    set_refused(&t, "data: the name of a class has a line break or another control character, "
                    "which breaks files of one class a line: rename the folder 'line\\x0abreak'");
    CU_ASSERT_EQUAL(t.problems.n, 6);
    says(&t.problems, "rename the folder 'tab\\x09'");
    says(&t.problems, "rename the folder '\\x1b[2J'");
    says(&t.problems, "rename the folder 'c\\xc2\\x85'");
    says(&t.problems, "rename the folder '\\x7f'");
    says(&t.problems, "rename the folder '\\xe2\\x80\\xa9'");
    t.data.skip = true; /* a class is not left out */
    CU_ASSERT_FALSE(set_read(&t));
    CU_ASSERT(t.problems.n == 6 && t.skipped.n == 0);
    set_end(&t);
    set_begin(&t);
    put_png(&t, "data/0\r1_a.png", 2, 2, 1);
    t.data.kind = RNCT_NAMES;
    set_refused(&t, "rename the pictures that begin with '0\\x0d1'");
    const char *const expected[] = {"0\r1"};
    t.data.classes = expected;
    t.data.n_classes = 1;
    set_refused(&t, "where the classes are given, rename '0\\x0d1'");
    CU_ASSERT_EQUAL(t.problems.n, 1);
    set_end(&t);
}

static void test_odd_folders(void)
{
    SetTest t;
    set_begin(&t);
    set_refused(&t, "data: cannot be read: No such file");
    mkdir(t.data.path, 0777);
    set_refused(&t, "has no samples that can be used");
    put_png(&t, "data/a.png", 2, 2, 1);
    set_refused(&t, "has pictures and no folders of classes: put each class into a folder");
    put_png(&t, "data/dog/a.png", 2, 2, 1);
    set_refused(&t, "has 1 pictures in no folder of a class: 'a.png'");
    set_skips(&t, "has 1 pictures in no folder");
    unlink(folder_path(&t.folder, "data/a.png"));
    CU_ASSERT_EQUAL(symlink("..", folder_path(&t.folder, "data/dog/loop")), 0);
    set_refused(&t, "dog/loop: is a link to a folder that it is in");
    set_skips(&t, "dog/loop: is a link");
    CU_ASSERT_EQUAL(t.set.n, 1);
    unlink(folder_path(&t.folder, "data/dog/loop"));
    put_png(&t, "data/dog/1/2/3/4/5/6/7/8/9/0/1/2/3/4/5/6/b.png", 2, 2, 1);
    set_refused(&t, "is a folder too deep");
    set_end(&t);
    set_begin(&t);
    put_png(&t, "data/train/dog/a.png", 2, 2, 1);
    put_png(&t, "data/val/dog/a.png", 2, 2, 1);
    set_refused(&t, "its folders 'train' and 'val' look like parts of the data, not like classes: "
                    "read ");
    rename(folder_path(&t.folder, "data/train"), folder_path(&t.folder, "data/trainer"));
    CU_ASSERT_FATAL(set_read(&t));
    rename(folder_path(&t.folder, "data/trainer"), folder_path(&t.folder, "data/signs-train"));
    set_refused(&t, "its folders 'signs-train' and 'val' look like parts");
    const char *const names[] = {"val", "signs-train"};
    t.data.classes = names;
    t.data.n_classes = 2;
    CU_ASSERT_FATAL(set_read(&t));
    set_end(&t);
}

/* As root one can read everything. */
static void test_unreadable(void)
{
    SetTest t;
    if (geteuid() == 0)
        return;
    set_begin(&t);
    put_animals(&t);
    chmod(folder_path(&t.folder, "data/dog/a.PNG"), 0);
    set_refused(&t, "dog/a.PNG: cannot be read: Permission denied");
    chmod(folder_path(&t.folder, "data/dog"), 0);
    set_skips(&t, "dog: cannot be read: Permission denied");
    chmod(folder_path(&t.folder, "data/dog"), 0777);
    set_end(&t);
}

static void test_names(void)
{
    SetTest t;
    set_begin(&t);
    put_png(&t, "data/1_b.png", 2, 2, 11);
    put_png(&t, "data/0_c.png", 2, 2, 12);
    put_png(&t, "data/0_a.png", 2, 2, 10);
    t.data.kind = RNCT_NAMES;
    read_is(&t, "0:10 0:12 1:11 ");
    put_png(&t, "data/a.png", 2, 2, 11);
    set_refused(&t, "a.png: its name does not begin with a class and '_'");
    set_skips(&t, "a.png: its name");
    set_end(&t);
}

static void test_list(void)
{
    SetTest t;
    set_begin(&t);
    put_png(&t, "p/a.png", 2, 2, 10);
    put_png(&t, "p/b b.png", 2, 2, 11);
    put_list(&t, "p/b b.png\tdog\r\n\np/a.png\tcat");
    read_is(&t, "dog:11 cat:10 ");
    put_list(&t, "\xef\xbb\xbfp/b b.png\t dog \r\np/a.png\tdog\t\n \n");
    read_is(&t, "dog:11 dog:10 ");
    put_list(&t, "p/b b.png\t2\np/a.png\t0\n");
    set_refused(&t, "class '1' (1 of 3) has no samples");
    t.data.n_classes = 2;
    set_refused(&t, "p/b b.png: has the label 2, which is not from 0 to 1");
    put_list(&t, "p/b b.png\t-1\np/a.png\t0\n");
    set_refused(&t, "p/b b.png: has the label -1, which is not from 0 to 1");
    put_list(&t, "p/b b.png\t99999999999999999999\np/a.png\t0\n");
    set_refused(&t, "has the label 99999999999999999999, which is not from 0 to 1");
    put_list(&t, "p/b b.png\t1\np/a.png\t0\n");
    read_is(&t, "1:11 0:10 ");
    const char *const names[] = {"no", "yes"};
    t.data.classes = names;
    read_is(&t, "yes:11 no:10 ");
    put_list(&t, "p/b b.png\t1\np/a.png\tyes\np/a.png\t1\n\tno\np/a.png\nx.png\tno\np/a.png\t2\n");
    set_refused(&t, "p/a.png: is in the list twice, in lines 2 and 3: leave one of them out");
    says(&t.problems, "line 4 is not a path, a TAB and a class");
    says(&t.problems, "line 5 is not");
    says(&t.problems, "x.png: cannot be read: No such file");
    says(&t.problems, "p/a.png: its class '2' is none of the 2");
    set_skips(&t, "line 4");
    CU_ASSERT_STRING_EQUAL(summary(&t.set), "yes:11 yes:10 ");
    put_list(&t, "p/b b.png\tno\np/a.png,yes\n");
    set_refused(&t, "line 2 is not a path, a TAB and a class: it has a comma");
    put_list(&t, "p/b b.png\t\vno\n");
    t.data.classes = NULL;
    set_refused(&t, "p/b b.png: the name of a class has a line break or another control character");
    says(&t.problems, "give another name in the list to '\\x0bno'");
    put_list(&t, "");
    set_refused(&t, "is no data that is read");
    set_end(&t);
}

/* One file in several spellings is one sample, and has one class. */
static void test_list_spellings(void)
{
    SetTest t;
    set_begin(&t);
    put_png(&t, "p/a.png", 2, 2, 10);
    put_png(&t, "p/b.png", 2, 2, 11);
    put_png(&t, "p/c.png", 2, 2, 10); /* the same bytes, and yet another file */
    CU_ASSERT_EQUAL(symlink("a.png", folder_path(&t.folder, "p/link.png")), 0);
    CU_ASSERT_EQUAL(symlink("p", folder_path(&t.folder, "q")), 0);
    put_list(&t, "p/b.png\tdog\np/a.png\tcat\n./p/a.png\tcat\n\np/../p/a.png\tcat\n"
                 "p/link.png\tcat\nq/a.png\tcat\np/c.png\tcat\n");
    set_refused(&t, "./p/a.png: line 3 names the file that line 2 calls 'p/a.png': leave one of "
                    "them out");
    CU_ASSERT_EQUAL(t.problems.n, 4);
    says(&t.problems, "p/../p/a.png: line 5 names the file that line 2 calls 'p/a.png'");
    says(&t.problems, "p/link.png: line 6 names the file that line 2 calls 'p/a.png'");
    says(&t.problems, "q/a.png: line 7 names the file that line 2 calls 'p/a.png'");
    set_skips(&t, "p/link.png: line 6 names");
    CU_ASSERT_STRING_EQUAL(summary(&t.set), "dog:11 cat:10 cat:10 ");
    t.data.skip = true; /* which does not say what class the file is of */
    for (int number = 0; number < 2; number++) {
        put_list(&t, number ? "p/b.png\t0\np/link.png\t1\np/c.png\t01\np/a.png\t0\n"
                            : "p/b.png\tdog\np/link.png\tcat\np/c.png\tcat\np/a.png\tdog\n");
        CU_ASSERT_FALSE(set_read(&t));
        CU_ASSERT_EQUAL(t.problems.n, 1);
        says(&t.problems, number ? "p/a.png: has the class '0' in line 4, and '1' in line 2, which "
                                   "calls the same file 'p/link.png': leave out the line"
                                 : "p/a.png: has the class 'dog' in line 4, and 'cat' in line 2, "
                                   "which calls the same file 'p/link.png': leave out the line");
    }
    put_list(&t, "p/b.png\t0\np/a.png\t1\n./p/a.png\t01\n"); /* one class */
    CU_ASSERT_FATAL(set_read(&t));
    CU_ASSERT_STRING_EQUAL(summary(&t.set), "0:11 1:10 ");
    set_end(&t);
}
#else
static void test_no_libraries(void)
{
    SetTest t;
    set_begin(&t);
    folder_write(&t.folder, "data/dog/a.png", "x", 1);
    set_refused(&t, "dog/a.png: this rnc was built without libjpeg and libpng");
    set_end(&t);
}
#endif

void suite_set(void)
{
    CU_pSuite suite = CU_add_suite("set", NULL, NULL);
#ifdef RNC_HAVE_PICTURES
    CU_ADD_TEST(suite, test_folders);
    CU_ADD_TEST(suite, test_numbers);
    CU_ADD_TEST(suite, test_broken_files);
    CU_ADD_TEST(suite, test_all_at_once);
    CU_ADD_TEST(suite, test_order_of_problems);
    CU_ADD_TEST(suite, test_many_broken);
    CU_ADD_TEST(suite, test_sizes);
    CU_ADD_TEST(suite, test_classes);
    CU_ADD_TEST(suite, test_class_names);
    CU_ADD_TEST(suite, test_odd_folders);
    CU_ADD_TEST(suite, test_unreadable);
    CU_ADD_TEST(suite, test_names);
    CU_ADD_TEST(suite, test_list);
    CU_ADD_TEST(suite, test_list_spellings);
#else
    CU_ADD_TEST(suite, test_no_libraries);
#endif
}
