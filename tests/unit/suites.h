/* suites.h: the prototypes of all suites; the build includes it before each test. */
#ifndef RNC_SUITES_H
#define RNC_SUITES_H

#define SUITE(module) void suite_##module(void);
#include "suites.def"

#endif
