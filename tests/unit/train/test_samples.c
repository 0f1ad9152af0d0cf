/* test_samples.c: samples augmented and normalised, and readers of batches. */
#include "train/batch.h"

#include "train/draw.h"
#include "train/reader.h"
#include "traintest.h"

#include <CUnit/CUnit.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { H = 9, W = 7, C = 3, N = 50, EACH = H * W * C };

static unsigned char pixels[N * EACH];
static int32_t labels[N];
static const rnct_set set = {
    .n = N, .h = H, .w = W, .c = C, .classes = 5, .pixels = pixels, .labels = labels};
static rnct_problems problems;

static int setup(void)
{
    for (int i = 0; i < N * EACH; i++)
        pixels[i] = (unsigned char)(i * 37 + i / 7 * 11);
    for (int i = 0; i < N; i++)
        labels[i] = i % 5;
    return 0;
}

static rnct_form form_of(rnct_augment augment)
{
    rnct_form form = {.order = RNC_ORDER_NHWC,
                      .unit = 255,
                      .mean = {0.485f, 0.456f, 0.406f},
                      .deviation = {0.229f, 0.224f, 0.225f},
                      .augment = augment,
                      .seed = 42};
    problems = (rnct_problems){0};
    CU_ASSERT_FATAL(rnct_form_set(&form, &set, &problems));
    no_problems(&problems);
    return form;
}

static int pixel(uint32_t sample, int y, int x, int c)
{
    if (y < 0 || y >= H || x < 0 || x >= W)
        return 0;
    return pixels[sample * EACH + (uint32_t)((y * W + x) * C + c)];
}

static void test_plain(void)
{
    rnct_form form = form_of((rnct_augment){0});
    float nhwc[EACH], nchw[EACH];
    int wrong = 0;
    rnct_sample(&set, &form, 0, 3, nhwc);
    form.order = RNC_ORDER_NCHW;
    rnct_sample(&set, &form, 7, 3, nchw);
    for (int y = 0; y < H; y++) {
        for (int x = 0; x < W; x++) {
            for (int c = 0; c < C; c++) {
                /* As PyTorch's ToTensor and Normalize compute it. */
                const float right =
                    ((float)pixel(3, y, x, c) / 255 - form.mean[c]) / form.deviation[c];
                wrong += nhwc[(y * W + x) * C + c] != right;
                wrong += nchw[(c * H + y) * W + x] != right;
            }
        }
    }
    CU_ASSERT_EQUAL(wrong, 0);
}

/* Crop and flip against what the counters say, for many samples and epochs. */
static void test_geometry(void)
{
    const rnct_form form = form_of((rnct_augment){.flip = 0.5f, .crop = 3});
    int wrong = 0, flips = 0, places[49] = {0}, all = 0;
    for (uint32_t epoch = 0; epoch < 40; epoch++) {
        for (uint32_t i = 0; i < N; i++) {
            float to[EACH];
            uint32_t crop[4], flip[4];
            rnct_draw(42, RNCT_STREAM_CROP, epoch, i, 0, crop);
            rnct_draw(42, RNCT_STREAM_FLIP, epoch, i, 0, flip);
            const int top = (int)(crop[0] * 7ull >> 32) - 3, left = (int)(crop[1] * 7ull >> 32) - 3;
            const bool flipped = flip[0] >> 31;
            rnct_sample(&set, &form, epoch, i, to);
            for (int k = 0; k < EACH; k++) {
                const int y = k / (W * C), x = k / C % W, c = k % C;
                const int from = pixel(i, y + top, (flipped ? W - 1 - x : x) + left, c);
                wrong += to[k] != form.table[c][from];
            }
            flips += flipped;
            places[(top + 3) * 7 + left + 3] = 1;
        }
    }
    for (int i = 0; i < 49; i++)
        all += places[i];
    CU_ASSERT_EQUAL(wrong, 0);
    CU_ASSERT(flips > 900 && flips < 1100); /* of 2000 */
    CU_ASSERT_EQUAL(all, 49);
}

/* Against the formulas in double. */
static void test_colour(void)
{
    const rnct_augment a = {.brightness = 0.4f, .contrast = 0.3f, .saturation = 0.2f};
    const rnct_form form = form_of(a);
    rnct_form planar = form;
    double most = 0;
    int differ = 0;
    planar.order = RNC_ORDER_NCHW;
    for (uint32_t i = 0; i < N; i++) {
        static const double luma[] = {0.2989, 0.587, 0.114};
        float to[EACH], other[EACH];
        double x[H * W][3], mean = 0, f[3];
        uint32_t bits[4];
        rnct_draw(42, RNCT_STREAM_COLOUR, 2, i, 0, bits);
        const float ranges[] = {a.brightness, a.contrast, a.saturation};
        for (int k = 0; k < 3; k++)
            f[k] = 1 - (double)ranges[k] + 2 * (double)ranges[k] * bits[k] / 4294967296.0;
        for (int k = 0; k < EACH; k++) {
            x[k / 3][k % 3] = fmin(1, pixels[i * EACH + (uint32_t)k] / 255.0 * f[0]);
            mean += luma[k % 3] * x[k / 3][k % 3] / (H * W);
        }
        for (int k = 0; k < EACH; k++)
            x[k / 3][k % 3] = fmax(0, fmin(1, f[1] * x[k / 3][k % 3] + (1 - f[1]) * mean));
        for (int k = 0; k < H * W; k++) {
            const double grey = luma[0] * x[k][0] + luma[1] * x[k][1] + luma[2] * x[k][2];
            for (int c = 0; c < 3; c++)
                x[k][c] = fmax(0, fmin(1, f[2] * x[k][c] + (1 - f[2]) * grey));
        }
        rnct_sample(&set, &form, 2, i, to);
        rnct_sample(&set, &planar, 2, i, other);
        for (int k = 0; k < EACH; k++) {
            const double right =
                (x[k / 3][k % 3] - (double)form.mean[k % 3]) / (double)form.deviation[k % 3];
            most = fmax(most, fabs(right - (double)to[k]));
            differ += to[k] != other[k % 3 * H * W + k / 3];
        }
    }
    CU_ASSERT(most < 5e-6);
    CU_ASSERT_EQUAL(differ, 0);
}

/* What is 0 is one rectangle, of a size that may be; what is not is as it would be without. */
static void test_erasing(void)
{
    const rnct_form form = form_of((rnct_augment){.erase = 0.5f}),
                    plain = form_of((rnct_augment){0});
    int wrong = 0, erased = 0;
    for (uint32_t epoch = 0; epoch < 20; epoch++) {
        for (uint32_t i = 0; i < N; i++) {
            float to[EACH], whole[EACH];
            int top = H, left = W, bottom = -1, right = -1, n = 0;
            rnct_sample(&set, &form, epoch, i, to);
            rnct_sample(&set, &plain, epoch, i, whole);
            for (int k = 0; k < EACH; k++) {
                const int y = k / (W * C), x = k / C % W;
                wrong += to[k] != 0 && to[k] != whole[k];
                if (to[k] == 0) {
                    n++;
                    top = y < top ? y : top, bottom = y > bottom ? y : bottom;
                    left = x < left ? x : left, right = x > right ? x : right;
                }
            }
            erased += n > 0;
            wrong += n > 0 && n != (bottom - top + 1) * (right - left + 1) * C;
            wrong += n > C * (int)(0.33 * H * W) + C * 8;
        }
    }
    CU_ASSERT_EQUAL(wrong, 0);
    CU_ASSERT(erased > 430 && erased < 570); /* of 1000 */
}

/* One augmentation does not change what another draws. */
static void test_streams(void)
{
    const rnct_form one = form_of((rnct_augment){.flip = 0.5f});
    const rnct_form two = form_of((rnct_augment){.flip = 0.5f, .erase = 1});
    int same = 0, zero = 0;
    for (uint32_t i = 0; i < N; i++) {
        float a[EACH], b[EACH];
        rnct_sample(&set, &one, 1, i, a);
        rnct_sample(&set, &two, 1, i, b);
        for (int k = 0; k < EACH; k++) {
            same += a[k] == b[k];
            zero += b[k] == 0 && a[k] != b[k];
        }
    }
    CU_ASSERT(same + zero == N * EACH && zero > 0);
}

static void test_refusals(void)
{
    rnct_form form = {.unit = 255, .deviation = {1, 1, 0}, .augment = {.erase = 1.5f, .crop = -1}};
    problems = (rnct_problems){0};
    CU_ASSERT_FALSE(rnct_form_set(&form, &set, &problems));
    says(&problems, "the unit and the deviation of each channel must be above 0");
    says(&problems, "erasing are from 0 to 1");
    says(&problems, "a crop of -1 pixels");
    const rnct_set grey = {.c = 1};
    form = (rnct_form){.unit = 1, .deviation = {1}, .augment = {.saturation = 0.5f}};
    CU_ASSERT_FALSE(rnct_form_set(&form, &grey, &problems));
    says(&problems, "saturation needs pictures of 3 channels, and these have 1");
}

/* ---- readers ---- */

typedef struct Seen {
    float pixels[8 * EACH];
    int32_t labels[8];
    uint32_t epoch;
    size_t in_epoch, count;
    bool last;
} Seen;

enum { STEPS = 23 };

static void see(const rnct_reading *reading, Seen *to, int n)
{
    problems = (rnct_problems){0};
    rnct_reader *reader = rnct_reader_new(reading, &problems);
    no_problems(&problems);
    CU_ASSERT_PTR_NOT_NULL_FATAL(reader);
    for (int i = 0; i < n; i++) {
        const rnct_batch *b = rnct_reader_next(reader);
        CU_ASSERT_FATAL(b->places <= 8);
        CU_ASSERT_EQUAL(b->step, reading->step + (uint64_t)i);
        CU_ASSERT_EQUAL((uintptr_t)b->pixels % 64, 0);
        memset(&to[i], 0, sizeof to[i]);
        memcpy(to[i].pixels, b->pixels, b->places * EACH * sizeof(float));
        memcpy(to[i].labels, b->labels, b->places * sizeof(int32_t));
        to[i].epoch = b->epoch;
        to[i].in_epoch = b->in_epoch;
        to[i].count = b->count;
        to[i].last = b->last;
    }
    CU_ASSERT(rnct_reader_waited(reader) > 0);
    rnct_reader_free(reader);
}

static Seen here[STEPS], there[STEPS];

static void test_same_bits(void)
{
    const rnct_form form =
        form_of((rnct_augment){.flip = 0.5f, .crop = 2, .brightness = 0.3f, .erase = 0.5f});
    uint32_t samples[45];
    for (uint32_t i = 0; i < 45; i++)
        samples[i] = i + i / 9;
    rnct_reading reading = {
        .set = &set, .form = &form, .samples = samples, .n = 45, .batch = 8, .shuffle = true};
    CU_ASSERT_EQUAL(rnct_epoch_steps(&reading), 6);
    see(&reading, here, STEPS);
    reading.threaded = true;
    see(&reading, there, STEPS);
    CU_ASSERT_EQUAL(memcmp(here, there, sizeof here), 0);
    /* From any step on. */
    for (int threaded = 0; threaded < 2; threaded++) {
        reading.threaded = threaded;
        for (reading.step = 1; reading.step < STEPS; reading.step += 4) {
            see(&reading, there, STEPS - (int)reading.step);
            CU_ASSERT_EQUAL(
                memcmp(here + reading.step, there, (STEPS - (size_t)reading.step) * sizeof *here),
                0);
        }
    }
    /* The parts of two and four ranks, put together; the last batch of an epoch has five. */
    reading.step = 0;
    for (reading.ranks = 2; reading.ranks <= 4; reading.ranks *= 2) {
        size_t first[STEPS] = {0};
        int wrong = 0;
        for (reading.rank = 0; reading.rank < reading.ranks; reading.rank++) {
            see(&reading, there, STEPS);
            for (int i = 0; i < STEPS; i++) {
                const size_t n = there[i].count;
                wrong += memcmp(here[i].pixels + first[i] * EACH, there[i].pixels,
                                n * EACH * sizeof(float)) != 0;
                wrong +=
                    memcmp(here[i].labels + first[i], there[i].labels, n * sizeof(int32_t)) != 0;
                first[i] += n;
            }
        }
        for (int i = 0; i < STEPS; i++)
            wrong += first[i] != here[i].count;
        CU_ASSERT_EQUAL(wrong, 0);
    }
    reading.ranks = 16;
    CU_ASSERT_PTR_NULL(rnct_reader_new(&reading, &problems));
    says(&problems, "the ranks, a power of two, must divide the batch");
}

/* Each epoch has each sample once; the last batch is short, and filled up. */
static void test_epochs(void)
{
    const rnct_form form = form_of((rnct_augment){0});
    rnct_reading reading = {.set = &set, .form = &form, .n = N, .batch = 8, .shuffle = true};
    int counts[5] = {0};
    see(&reading, here, 14);
    for (int i = 0; i < 14; i++) {
        CU_ASSERT(here[i].epoch == (uint32_t)i / 7 && here[i].in_epoch == (size_t)i % 7);
        CU_ASSERT(here[i].count == (i % 7 == 6 ? 2 : 8) && here[i].last == (i % 7 == 6));
        for (size_t k = 0; k < here[i].count; k++)
            counts[here[i].labels[k]]++;
        for (size_t k = here[i].count; k < 8; k++)
            CU_ASSERT(here[i].labels[k] == -1 && here[i].pixels[k * EACH + 5] == 0);
    }
    for (int c = 0; c < 5; c++)
        CU_ASSERT_EQUAL(counts[c], 2 * N / 5);
    CU_ASSERT_NOT_EQUAL(memcmp(here[0].pixels, here[7].pixels, sizeof here[0].pixels), 0);
    reading.drop_last = true;
    CU_ASSERT_EQUAL(rnct_epoch_steps(&reading), 6);
    reading.shuffle = false;
    see(&reading, here, 7);
    CU_ASSERT(here[0].labels[4] == 4 && here[6].epoch == 1 && here[6].labels[1] == 1);
}

static void test_no_reader(void)
{
    const rnct_form form = form_of((rnct_augment){0});
    rnct_reading reading = {.set = &set, .form = &form, .batch = 8};
    CU_ASSERT_PTR_NULL(rnct_reader_new(&reading, &problems));
    says(&problems, "there are no samples to read");
    reading.n = 5;
    reading.drop_last = true;
    CU_ASSERT_PTR_NULL(rnct_reader_new(&reading, &problems));
    says(&problems, "the batch is larger than the data");
    reading.batch = 0;
    CU_ASSERT_PTR_NULL(rnct_reader_new(&reading, &problems));
    says(&problems, "a batch without pictures");
    rnct_reader_free(NULL);
    /* Ended at once, with batches that nobody takes. */
    reading.batch = 2;
    reading.threaded = true;
    for (int i = 0; i < 50; i++)
        rnct_reader_free(rnct_reader_new(&reading, &problems));
}

void suite_samples(void)
{
    CU_pSuite suite = CU_add_suite("samples", setup, NULL);
    CU_ADD_TEST(suite, test_plain);
    CU_ADD_TEST(suite, test_geometry);
    CU_ADD_TEST(suite, test_colour);
    CU_ADD_TEST(suite, test_erasing);
    CU_ADD_TEST(suite, test_streams);
    CU_ADD_TEST(suite, test_refusals);
    CU_ADD_TEST(suite, test_same_bits);
    CU_ADD_TEST(suite, test_epochs);
    CU_ADD_TEST(suite, test_no_reader);
}
