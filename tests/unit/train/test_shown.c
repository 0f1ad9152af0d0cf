/* test_shown.c: what a run shows people: confusions, curves, progress. */
#include "train/confusion.h"
#include "train/plot.h"
#include "train/progress.h"

#include "traintest.h"

#include <CUnit/CUnit.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

static char shown[1 << 16];

static FILE *begin(void)
{
    memset(shown, 0, sizeof shown);
    return fmemopen(shown, sizeof shown, "w");
}

static void shows(const char *expected)
{
    CU_ASSERT_STRING_EQUAL(shown, expected);
    if (strcmp(shown, expected) != 0)
        printf("expected:\n%s\nfound:\n%s\n", expected, shown);
}

/* ---- confusion ---- */

static void test_confusion(void)
{
    static const char *const names[] = {"ape", "cat", "dog"};
    rnct_confusion m, more;
    uint64_t right;
    CU_ASSERT_FATAL(rnct_confusion_new(&m, 3) && rnct_confusion_new(&more, 3));
    for (int i = 0; i < 8; i++)
        rnct_confusion_add(&m, 0, i < 6 ? 0 : 2);
    for (int i = 0; i < 3; i++)
        rnct_confusion_add(&more, 1, i);
    rnct_confusion_add(&more, -1, 0); /* no picture */
    rnct_confusion_add(&more, 1, -1); /* no answer */
    rnct_confusion_merge(&m, &more);
    CU_ASSERT(rnct_confusion_total(&m, &right) == 12 && right == 7);
    CU_ASSERT(rnct_confusion_class(&m, 1, &right) == 4 && right == 1);
    FILE *to = begin();
    rnct_confusion_print(&m, names, to);
    fclose(to);
    shows("class                pictures    right\n"
          "ape                         8  75.00 %   taken for dog: 2\n"
          "cat                         4  25.00 %   taken for ape: 2\n"
          "dog                         0        -\n"
          "all                        12  58.33 %\n"
          "\n"
          "is, and is taken for     ape     cat     dog\n"
          "ape                        6       0       2\n"
          "cat                        2       1       1\n"
          "dog                        0       0       0\n");
    rnct_confusion_free(&m);
    rnct_confusion_free(&more);
    const float scores[] = {1, 3, 3, -1}, bad[] = {1, NAN};
    CU_ASSERT(rnct_largest(scores, 4) == 1 && rnct_largest(bad, 2) == -1);
}

/* ---- curves ---- */

static const double xs[] = {0, 1, 2, 3}, down[] = {3, 2, 1, 0}, up[] = {0, 1, NAN, 3};
static const rnct_curve curves[] = {{"training", xs, down, 4, 1}, {"held back", xs, up, 4, 1}};
static const rnct_plot plot = {"loss", "epoch", curves, 2, false};

static void test_plain_plot(void)
{
    const rnct_terminal file = {false, true, 40};
    FILE *to = begin();
    rnct_plot_print(&plot, &file, 7, to);
    fclose(to);
    shows("           loss, by epoch\n"
          "        3 |***                     +++\n"
          "          |   *****            ++++\n"
          "        2 |        ***    +++++\n"
          "          |           ++++*\n"
          "        1 |        +++     ***\n"
          "          |   +++++           *****\n"
          "        0 |+++                     ***\n"
          "           0  0.5   1  1.5  2   2.5  3\n"
          "           * training  + held back\n");
}

/* In a terminal: colours and dots, and no line wider than the window. */
static void test_braille_plot(void)
{
    const rnct_terminal terminal = {true, true, 60};
    FILE *to = begin();
    rnct_plot_print(&plot, &terminal, 8, to);
    fclose(to);
    CU_ASSERT_PTR_NOT_NULL(strstr(shown, "\x1b[34m\xe2\xa0"));
    CU_ASSERT_PTR_NOT_NULL(strstr(shown, "\x1b[31m\xe2\xa0\xa4\xe2\xa0\xa4\x1b[0m held back"));
    int lines = 0;
    for (char *line = strtok(shown, "\n"); line; line = strtok(NULL, "\n"), lines++) {
        int n = 0;
        for (const char *c = line; *c; c++) {
            if (*c == '\x1b')
                c = strchr(c, 'm');
            else
                n += ((unsigned char)*c & 0xc0) != 0x80;
        }
        CU_ASSERT(n <= 60);
    }
    CU_ASSERT_EQUAL(lines, 8 + 3);
}

static void test_odd_plots(void)
{
    static const double nothing[] = {NAN, INFINITY}, same[] = {5, 5};
    const rnct_terminal file = {false, false, 10};
    const rnct_curve none = {"none", nothing, nothing, 2, 1}, flat = {"flat", xs, same, 2, 1};
    const rnct_curve point = {"point", xs, same, 1, 1};
    const rnct_curve *const odd[] = {&none, &flat, &point};
    for (int i = 0; i < 3; i++) {
        const rnct_plot p = {"odd", "x", odd[i], 1, true};
        FILE *to = begin();
        rnct_plot_print(&p, &file, 5, to);
        fclose(to);
        CU_ASSERT_PTR_NOT_NULL(strstr(shown, i == 0 ? "nothing to show yet" : "500 % |"));
        CU_ASSERT(i == 0 || strchr(strstr(shown, "500 %"), '*') != NULL);
    }
}

static void test_svg(void)
{
    const TestFolder folder = folder_new();
    rnct_problems problems = {0};
    const rnct_curve odd = {"<&>", xs, up, 4, 1};
    const rnct_plot plots[] = {plot, {"accuracy", "epoch", &odd, 1, true}};
    const char *path = folder_path(&folder, "a.svg");
    CU_ASSERT_FATAL(rnct_plots_save(plots, 2, path, &problems));
    no_problems(&problems);
    char *first = file_bytes(path, NULL);
    CU_ASSERT_PTR_NOT_NULL(strstr(first, "<svg xmlns=\"http://www.w3.org/2000/svg\""));
    CU_ASSERT_PTR_NOT_NULL(strstr(first, "&lt;&amp;&gt;</text>"));
    CU_ASSERT_PTR_NOT_NULL(strstr(first, ">100 %</text>"));
    /* The first curve falls from corner to corner, 4 % away from the frame. */
    CU_ASSERT_PTR_NOT_NULL(strstr(first, "d=\"M0.0 49.6L140.0 129.9L280.0 210.1L420.0 290.4\""));
    /* What is not a number is left out. */
    CU_ASSERT_PTR_NOT_NULL(strstr(first, "d=\"M0.0 290.4L140.0 210.1L420.0 49.6\""));
    CU_ASSERT_FATAL(rnct_plots_save(plots, 2, path, &problems));
    char *second = file_bytes(path, NULL);
    CU_ASSERT_STRING_EQUAL(first, second);
    free(first);
    free(second);
    CU_ASSERT_FALSE(rnct_plots_save(plots, 2, folder_path(&folder, "no/a.svg"), &problems));
    folder_remove(&folder);
}

/* ---- progress ---- */

static void test_duration(void)
{
    char text[24];
    static const struct {
        double seconds;
        const char *text;
    } rows[] = {{0, "0 s"},      {59.4, "59 s"},    {59.6, "1:00"},
                {3599, "59:59"}, {3725, "1:02:05"}, {1e30, "99:59:59"}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        rnct_duration(rows[i].seconds, text);
        CU_ASSERT_STRING_EQUAL(text, rows[i].text);
    }
}

static void test_progress_lines(void)
{
    const rnct_terminal file = {false, true, 80};
    rnct_progress p;
    FILE *to = begin();
    rnct_progress_begin(&p, to, &file, 0, 1000, 10, 100);
    for (uint64_t i = 1; i <= 1000; i++) {
        const rnct_standing s = {i, (uint32_t)((i - 1) / 100), 32, 0.5,
                                 i > 500 ? 0.9 : (double)NAN};
        rnct_progress_step(&p, &s, 100 + 0.05 * (double)i); /* 20 steps, 640 images a second */
    }
    rnct_progress_end(&p);
    fclose(to);
    shows("epoch 1/10 ....................   2 %  640 images/s  49 s left  loss 0.5000\n"
          "epoch 3/10 ####................  22 %  640 images/s  39 s left  loss 0.5000\n"
          "epoch 5/10 ########............  42 %  640 images/s  29 s left  loss 0.5000\n"
          "epoch 7/10 ############........  62 %  640 images/s  19 s left  loss 0.5000"
          "  accuracy 90.0 %\n"
          "epoch 9/10 ################....  82 %  640 images/s  9 s left  loss 0.5000"
          "  accuracy 90.0 %\n"
          "epoch 10/10 #################### 100 %  640 images/s  0 s left  loss 0.5000"
          "  accuracy 90.0 %\n");
}

static void test_progress_terminal(void)
{
    const rnct_terminal terminal = {true, true, 40};
    rnct_progress p;
    FILE *to = begin();
    rnct_progress_begin(&p, to, &terminal, 500, 1000, 10, 0);
    for (uint64_t i = 501; i <= 504; i++) {
        const rnct_standing s = {i, 5, 8, 0.25, (double)NAN};
        rnct_progress_step(&p, &s, 0.06 * (double)(i - 500));
    }
    rnct_progress_end(&p);
    rnct_progress_end(&p);
    fclose(to);
    /* Every second step is soon enough; the line is cut to the window's width. */
#define HALF "\xe2\x96\x88\xe2\x96\x88\xe2\x96\x88\xe2\x96\x88\xe2\x96\x88"
#define REST "\xe2\x96\x91\xe2\x96\x91\xe2\x96\x91\xe2\x96\x91\xe2\x96\x91"
    shows("\repoch 6/10 " HALF HALF REST REST "  50 %  \x1b[K"
          "\repoch 6/10 " HALF HALF REST REST "  50 %  \x1b[K\n");
}

void suite_shown(void)
{
    CU_pSuite suite = CU_add_suite("shown", NULL, NULL);
    CU_ADD_TEST(suite, test_confusion);
    CU_ADD_TEST(suite, test_plain_plot);
    CU_ADD_TEST(suite, test_braille_plot);
    CU_ADD_TEST(suite, test_odd_plots);
    CU_ADD_TEST(suite, test_svg);
    CU_ADD_TEST(suite, test_duration);
    CU_ADD_TEST(suite, test_progress_lines);
    CU_ADD_TEST(suite, test_progress_terminal);
}
