/* filter_groups: filters of narrow groups as those of wider ones, and back.  s->merge groups become
 * one: a filter of [taps][merge * in_c] has those of its own group, [taps][in_c], at the place of
 * the group among the merged, and zeros elsewhere.  Operands: filters -> merged filters or, with
 * s->back, merged filters -> filters: what is not at such a place is left out.  Parts share the
 * filters. */
RNC_KERNEL void RNC_FN(filter_groups)(const rnc_regroup_shape *s, const rnc_knobs *t,
                                      const rnc_operands *o, int part, int parts)
{
    const ptrdiff_t depth = s->taps * s->in_c;
    (void)t;
    for (int f = rnc_share(s->filters, part, parts); f < rnc_share(s->filters, part + 1, parts);
         f++) {
        const ptrdiff_t own = f * depth, wide = own * s->merge;
        const int place = f / s->group % s->merge * s->in_c, row = s->merge * s->in_c;
        const float *const from = (const float *)o->in[0] + (s->back ? wide + place : own);
        float *const to = (float *)o->out[0] + (s->back ? own : wide + place);
        for (int i = 0; i < depth * s->merge && !s->back; i++)
            to[i - place] = 0.0f;
        for (int k = 0; k < s->taps; k++)
            for (int i = 0; i < s->in_c; i++)
                to[k * (s->back ? s->in_c : row) + i] = from[k * (s->back ? row : s->in_c) + i];
    }
}
