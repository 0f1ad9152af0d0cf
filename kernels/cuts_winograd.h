/* cuts_winograd.h: how conv_winograd and conv_winograd_taps cut their work (cuts.h). */
#ifndef RNC_CUTS_WINOGRAD_H
#define RNC_CUTS_WINOGRAD_H

#include "kernels/cuts.h"

/* Planes along one side of a window: one for each point of interpolation and, with stride 2, for
 * each odd pixel. */
RNC_INLINE int rnc_winograd_planes(int m, int stride)
{
    return stride == 1 ? m + 2 : 2 * m + 1;
}

/* Most planes along a side (tiles of 4 with stride 2); most constants in a transform. */
enum { RNC_WINOGRAD_PLANES = 9, RNC_WINOGRAD_NUMBERS = 9 };

/* Tiles in an image. */
RNC_INLINE int rnc_winograd_tiles(int m, int out_h, int out_w)
{
    return rnc_div_up(out_h, m) * rnc_div_up(out_w, m);
}

/* 1: an image has tiles of m and of m - 1 pixels.  This is so if m does not divide the image and
 * the image's tiles fit into a group of up to `group`. */
RNC_INLINE int rnc_winograd_mixed(int m, int out_h, int out_w, int group)
{
    return (out_h % m > 0 || out_w % m > 0) && rnc_winograd_tiles(m, out_h, out_w) <= group;
}

/* Tiles along `pixels` output pixels: `full` tiles of m pixels, then `less` tiles of m - 1. */
typedef struct rnc_winograd_side {
    int full, less;
} rnc_winograd_side;

RNC_INLINE void rnc_winograd_along(int pixels, int m, int mixed, rnc_winograd_side *c)
{
    const int tiles = rnc_div_up(pixels, m), lacking = tiles * m - pixels;
    c->less = !mixed ? 0 : lacking < tiles ? lacking : tiles;
    c->full = tiles - c->less;
}

/* How the tiles of all images are cut into groups.  With dilation d each image counts as d x d, of
 * every d-th row and pixel; the last ones may lack a row or a pixel of these.  A group consists of
 * units: images where tiles are mixed, else tiles.  The first `longer` groups have one unit more
 * than `size`.  The scratch of a part holds side * side planes of a group's windows, then as many
 * of a panel's products. */
typedef struct rnc_winograd_cut {
    int mixed;
    rnc_winograd_side y, x; /* tiles down, tiles across */
    int tiles, side;        /* tiles in all images; planes along a side of a window */
    int groups, size, longer;
    int pitch, plane;  /* floats from tile to tile and from plane to plane, in the windows */
    int wide, product; /* the same two distances in the products */
    ptrdiff_t floats;  /* size of windows and products */
} rnc_winograd_cut;

RNC_INLINE void rnc_cut_winograd(const rnc_conv_shape *s, const rnc_knobs *t, rnc_winograd_cut *c)
{
    const int m = s->winograd, most = t->group > 0 ? t->group : 1;
    const int h = rnc_div_up(s->out_h, s->dilation_h), w = rnc_div_up(s->out_w, s->dilation_w);
    const int image = rnc_winograd_tiles(m, h, w);
    int units, of, widest;
    c->mixed = rnc_winograd_mixed(m, h, w, most);
    c->tiles = s->images * s->dilation_h * s->dilation_w * image;
    c->side = rnc_winograd_planes(m, s->stride_h);
    rnc_winograd_along(h, m, c->mixed, &c->y);
    rnc_winograd_along(w, m, c->mixed, &c->x);
    of = c->mixed ? image : 1;
    units = c->tiles / of;
    c->groups = rnc_div_up(units, most / of);
    c->size = units / c->groups;
    c->longer = units % c->groups;
    widest = (c->size + (c->longer > 0)) * of;
    c->pitch = rnc_div_up(s->in_c, 16) * 16 + (s->in_c % 64 == 0 ? RNC_APART : 0);
    c->plane = widest * c->pitch + RNC_APART;
    c->wide = s->out_c < s->panel ? s->out_c : s->panel;
    c->product = widest * c->wide + RNC_APART;
    c->floats = (ptrdiff_t)c->side * c->side * (c->plane + c->product);
}

#endif
