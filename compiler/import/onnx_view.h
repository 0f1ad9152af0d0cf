/* onnx_view.h: how a tensor of ONNX lies in a tensor of rnc.
 *
 * ONNX's tensors have any number of axes without a meaning, rnc's are batch, channels, height and
 * width.  A view says for each axis of ONNX's which pieces of rnc's axes it runs through, slowest
 * first.  Pieces of extent 1 are left out.  So Transpose, Squeeze, Flatten of a vector and many a
 * Reshape only change the view; what tf2onnx puts around each convolution disappears.
 *
 *     Conv of rank 4           n | c | h | w
 *     after Transpose 0 2 3 1  n | h | w | c
 *     Reshape to groups of 8   n | c/8 of stride 8, c of 8 | h | w      (as two axes)
 */
#ifndef RNC_ONNX_VIEW_H
#define RNC_ONNX_VIEW_H

#include "import/onnx_model.h"

enum { AXIS_N, AXIS_C, AXIS_H, AXIS_W, AXES };
enum { ATOMS_MOST = 12 };

/* `extent` steps of `stride` elements along an axis of rnc's. */
typedef struct Atom {
    int axis;
    int64_t extent, stride;
} Atom;

typedef struct View {
    int rank;
    int64_t dims[ONNX_RANK_MOST];
    int first[ONNX_RANK_MOST + 1]; /* axis i has the atoms first[i] .. first[i + 1] - 1 */
    Atom atoms[ATOMS_MOST];
} View;

/* The view of a tensor whose axes are these of rnc's, in order, one each. */
View view_of(Type type, int rank, const int *axes);
/* n | c | h | w, n | c | w and n | c. */
View view_image(Type type, int rank);
/* Axis i of the result is axis perm[i]. */
View view_transposed(const View *v, const int64_t *perm);
/* The same elements in order with other extents; false if atoms would have to be cut where they
 * cannot be. */
bool view_reshaped(const View *v, int rank, const int64_t *dims, View *to);
/* Without axis `axis`, whose extent is 1; with one of extent 1 before it. */
View view_without(const View *v, int axis);
View view_with(const View *v, int axis);
/* Axis i becomes what axis k of `from` is. */
void view_set_axis(View *v, int i, const View *from, int k);
/* Axis i becomes this piece; `extent` steps along rnc's axis `of`. */
void view_set_atom(View *v, int i, Atom atom);
void view_set_whole(View *v, int i, int of, int64_t extent);
/* Whether the axis is all of rnc's axis `of`, which has `extent`, in order. */
bool view_axis_is(const View *v, int axis, int of, int64_t extent);
/* Whether the axes are these of rnc's, one each, all of them. */
bool view_is(const View *v, Type type, int rank, const int *axes);
/* The axes of rnc's that the view's are, one each: n | c | h | w, n | c | w, n | c, or with the
 * channels last; NULL if they are none of these. */
const int *view_axes(const View *v, Type type);
/* Which of rnc's axes an axis of the view is as a whole, -1: none, or it has one element and the
 * others do not tell. */
int view_whole_axis(const View *v, int axis, Type type);
/* The axis that is all of rnc's channels, or -1 (also if there is one channel: any axis of 1). */
int view_channels(const View *v, Type type);
/* The order of all elements where the view has only whole axes: "nchw" or "nhwc" without those of
 * extent 1; -1 if it is neither. */
int view_order(const View *v, Type type);
bool view_same_axis(const View *a, int i, const View *b, int k);
int64_t view_elements(const View *v);

#endif
