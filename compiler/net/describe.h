/* describe.h: describes layers in the few words that tables and diagrams have room for. */
#ifndef RNC_DESCRIBE_H
#define RNC_DESCRIBE_H

#include "net/ir.h"

#include <stdint.h>

/* "conv 3x3 /2", "depthwise 3x3", "avgpool global": operator, window, and those of stride,
 * dilation and groups that are not 1. */
const char *describe_kind(Arena *arena, const Node *node);
/* "64 x 56 x 56", "1000"; "8 x ..." for a batch, "... u8" for bytes.  `times` is printed between
 * the extents. */
const char *describe_type(Arena *arena, Type type, const char *times);
/* "resnet50.net:31", the file without its folder; NULL where there is none. */
const char *describe_line(Arena *arena, const SrcMap *src, const Place *place);
/* "25,557,032" */
const char *describe_number(Arena *arena, int64_t n);

#endif
