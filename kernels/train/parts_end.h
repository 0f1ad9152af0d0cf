/* parts_end.h: undefines the names of parts.h and bn.h, before isa_end.h. */
#undef sum_tree
#undef vf_rsqrt_guess
#undef vf_sqrt
#undef vf_slope
#undef vf_long_slope
#undef moments_add
#undef bn_channels
#undef bn_load
#undef bn_masked
