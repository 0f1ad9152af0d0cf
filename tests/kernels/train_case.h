/* train_case.h: what the tests of training kernels share. */
#ifndef TRAIN_CASE_H
#define TRAIN_CASE_H

#include "harness.h"

/* The slope of an activation at x, in double; at a corner as vf_slope has it. */
double ref_slope(double x, int act, float alpha, float beta);
/* Most that the slope changes where x changes by 1, but for corners. */
double ref_curvature(int act);
/* 1: x is within 0.01 of a corner of the activation, where a rounding decides about the slope. */
bool near_corner(double x, int act, float alpha, float beta);

/* n random floats. */
float *random_floats(Case *c, size_t n, float least, float most);
/* The sum of n floats, `apart` from one to the next, in a tree whose first half has the largest
 * power of two below n. */
float tree_sum(const float *x, size_t apart, int n);

#endif
