/* isas.c: prints the instruction sets of this CPU, the best first, a line each. */
#include <rncrt.h>

#include <stdio.h>
#include <string.h>

enum { MOST_ISAS = 32 };

int main(void)
{
    const char *none = rnc_isa_name((rnc_isa)-1);
    for (int isa = RNC_ISA_BEST + 1; isa < MOST_ISAS; isa++) {
        const char *name = rnc_isa_name((rnc_isa)isa);
        if (strcmp(name, none) != 0 && rnc_isa_present((rnc_isa)isa))
            puts(name);
    }
    return 0;
}
