/* parts_end.h: undefines the names of parts.h, bn.h and pool.h, before isa_end.h. */
#undef vf_load_some
#undef vf_store_some
#undef sum_tree
#undef phase_rest
#undef vf_rsqrt_guess
#undef vf_sqrt
#undef vf_slope
#undef vf_long_slope
#undef moments_add
#undef bn_channels
#undef bn_load
#undef bn_masked
#undef unpool_window
#undef unpool_find
#undef unpool_count
#undef unpool_clear
#undef unpool_add
