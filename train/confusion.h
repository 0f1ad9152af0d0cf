/* confusion.h: which classes are taken for which. */
#ifndef RNCT_CONFUSION_H
#define RNCT_CONFUSION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

typedef struct rnct_confusion {
    int classes;
    uint64_t *counts; /* [classes of the labels][classes of the answers], owned */
} rnct_confusion;

/* An empty matrix; false without memory. */
bool rnct_confusion_new(rnct_confusion *m, int classes);
void rnct_confusion_free(rnct_confusion *m);

/* Counts an answer.  A label below 0, as of the places of a batch that have no picture, counts as
 * nothing; an answer that is no class (such as -1) counts as wrong, as class 0 or 1. */
void rnct_confusion_add(rnct_confusion *m, int label, int answer);

/* The class with the largest of n scores: the first of several.  -1 if one is not a number. */
int rnct_largest(const float *scores, int n);

/* Adds the counts of another matrix of as many classes, as of another rank. */
void rnct_confusion_merge(rnct_confusion *m, const rnct_confusion *more);

/* Samples in all, and of a class; and how many of them are right. */
uint64_t rnct_confusion_total(const rnct_confusion *m, uint64_t *right);
uint64_t rnct_confusion_class(const rnct_confusion *m, int label, uint64_t *right);

/* Prints a line for each class (name, samples, right, and what it is most often taken for), the
 * accuracy, and, for up to 12 classes, the matrix.  names[] has the classes' names. */
void rnct_confusion_print(const rnct_confusion *m, const char *const *names, FILE *to);

#endif
