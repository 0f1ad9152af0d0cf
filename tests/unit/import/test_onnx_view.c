/* test_onnx_view.c: how tensors of ONNX lie in rnc's. */
#include "import/onnx_view.h"

#include <CUnit/CUnit.h>

static const Type image = {ELEM_F32, 2, 4, 6, 8}; /* 8 channels of 4 x 6 */

static void test_transposed(void)
{
    const int64_t to_last[] = {0, 2, 3, 1}, back[] = {0, 3, 1, 2};
    const View v = view_image(image, 4), last = view_transposed(&v, to_last);
    const View again = view_transposed(&last, back);
    CU_ASSERT(last.dims[1] == 4 && last.dims[3] == 8);
    CU_ASSERT_EQUAL(view_channels(&last, image), 3);
    CU_ASSERT_EQUAL(view_order(&v, image), ORDER_NCHW);
    CU_ASSERT_EQUAL(view_order(&last, image), ORDER_NHWC);
    for (int i = 0; i < 4; i++)
        CU_ASSERT(view_same_axis(&v, i, &again, i));
}

/* The shuffle of channels: two groups of four, turned round. */
static void test_shuffled(void)
{
    const int64_t groups[] = {2, 2, 4, 4, 6}, turned[] = {0, 2, 1, 3, 4}, whole[] = {2, 8, 4, 6};
    const View v = view_image(image, 4);
    View cut, back;
    CU_ASSERT_FATAL(view_reshaped(&v, 5, groups, &cut));
    CU_ASSERT(cut.dims[1] == 2 && cut.atoms[cut.first[1]].stride == 4);
    CU_ASSERT(cut.atoms[cut.first[2]].extent == 4 && cut.atoms[cut.first[2]].stride == 1);
    CU_ASSERT_FATAL(view_reshaped(&cut, 4, whole, &back));
    CU_ASSERT(view_axis_is(&back, 1, AXIS_C, 8));
    const View other = view_transposed(&cut, turned);
    CU_ASSERT_FATAL(view_reshaped(&other, 4, whole, &back));
    CU_ASSERT(!view_axis_is(&back, 1, AXIS_C, 8));
    CU_ASSERT_EQUAL(view_order(&back, image), -1);
}

static void test_flattened(void)
{
    const int64_t row[] = {2, 192}, cut[] = {2, 64, 3}, odd[] = {2, 5, 7};
    const View v = view_image(image, 4);
    View flat, parts;
    CU_ASSERT_FATAL(view_reshaped(&v, 2, row, &flat));
    CU_ASSERT_EQUAL(flat.first[2] - flat.first[1], 3);
    CU_ASSERT_EQUAL(view_order(&flat, image), ORDER_NCHW);
    CU_ASSERT(view_reshaped(&flat, 3, cut, &parts)); /* 6 columns are 2 x 3 */
    CU_ASSERT(!view_reshaped(&flat, 3, odd, &parts));
}

static void test_extents_of_one(void)
{
    const Type pixel = {ELEM_F32, 1, 1, 1, 5};
    const int64_t row[] = {1, 5};
    const View v = view_image(pixel, 4);
    View flat;
    CU_ASSERT_FATAL(view_reshaped(&v, 2, row, &flat));
    CU_ASSERT(view_axis_is(&flat, 1, AXIS_C, 5));
    const View more = view_with(&flat, 2), less = view_without(&more, 0);
    CU_ASSERT(more.rank == 3 && more.dims[2] == 1 && less.rank == 2 && less.dims[0] == 5);
    CU_ASSERT_PTR_NOT_NULL(view_axes(&flat, pixel));
}

/* Axes of one element are told by the others, where these say an image. */
static void test_whole_axes(void)
{
    const Type row = {ELEM_F32, 1, 1, 5, 1}, pixel = {ELEM_F32, 1, 1, 1, 5};
    const int64_t to_last[] = {0, 2, 3, 1}, halves[] = {2, 4, 2, 4, 6};
    const View v = view_image(row, 4), last = view_transposed(&v, to_last);
    CU_ASSERT_EQUAL(view_whole_axis(&v, 1, row), AXIS_C);
    CU_ASSERT_EQUAL(view_whole_axis(&v, 2, row), AXIS_H);
    CU_ASSERT_EQUAL(view_whole_axis(&v, 3, row), AXIS_W);
    CU_ASSERT_EQUAL(view_whole_axis(&last, 2, row), AXIS_W);
    CU_ASSERT_EQUAL(view_whole_axis(&last, 3, row), AXIS_C);
    const View one = view_image(pixel, 4);
    CU_ASSERT_EQUAL(view_whole_axis(&one, 3, pixel), AXIS_W);
    const View whole = view_image(image, 4);
    View cut;
    CU_ASSERT_FATAL(view_reshaped(&whole, 5, halves, &cut));
    CU_ASSERT_EQUAL(view_whole_axis(&cut, 1, image), -1);
    CU_ASSERT_EQUAL(view_whole_axis(&cut, 4, image), AXIS_W);
}

void suite_onnx_view(void)
{
    CU_pSuite s = CU_add_suite("onnx_view", NULL, NULL);
    CU_add_test(s, "axes in another order", test_transposed);
    CU_add_test(s, "channels cut and turned round", test_shuffled);
    CU_add_test(s, "all axes as one", test_flattened);
    CU_add_test(s, "axes of one element", test_extents_of_one);
    CU_add_test(s, "axes that are whole", test_whole_axes);
}
