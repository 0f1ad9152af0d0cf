/* native.c: the row of machine.def that the CPU has on which rnc runs.
 *
 * x86-64: CPUID's vendor, family and model (AMD64 Architecture Programmer's Manual, volume 3,
 * appendix E.3; Intel, Software Developer's Manual, volume 2, CPUID).  aarch64: Linux shows
 * MIDR_EL1, whose bits 31-24 are the maker and 15-4 the part.
 */
#include "plan/native.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#if defined(__x86_64__)
#include <cpuid.h>
#endif

/* Models first to last of a family. */
typedef struct CpuRow {
    CpuMaker maker;
    int family, first, last;
    int machine;
} CpuRow;

static const CpuRow cpu_rows[] = {
    {CPU_AMD, 0x17, 0x30, 0xff, MACHINE_zen2},
    {CPU_AMD, 0x19, 0x00, 0x0f, MACHINE_zen3},
    {CPU_AMD, 0x19, 0x20, 0x5f, MACHINE_zen3},
    {CPU_AMD, 0x19, 0x10, 0x1f, MACHINE_zen4},
    {CPU_AMD, 0x19, 0x60, 0xaf, MACHINE_zen4},
    {CPU_AMD, 0x1a, 0x00, 0xff, MACHINE_zen5},
    {CPU_INTEL, 6, 0x4e, 0x4e, MACHINE_skylake}, /* of clients, up to Comet Lake */
    {CPU_INTEL, 6, 0x5e, 0x5e, MACHINE_skylake},
    {CPU_INTEL, 6, 0x8e, 0x8e, MACHINE_skylake},
    {CPU_INTEL, 6, 0x9e, 0x9e, MACHINE_skylake},
    {CPU_INTEL, 6, 0xa5, 0xa6, MACHINE_skylake},
    {CPU_INTEL, 6, 0x8f, 0x8f, MACHINE_sapphire_rapids},
    {CPU_INTEL, 6, 0xcf, 0xcf, MACHINE_sapphire_rapids},
    {CPU_ARM, 0, 0xd0c, 0xd0c, MACHINE_neoverse_n1},
    {CPU_ARM, 0, 0xd08, 0xd08, MACHINE_cortex_a72},
};

const Machine *machine_of(Cpu cpu)
{
    for (size_t i = 0; i < sizeof cpu_rows / sizeof *cpu_rows; i++) {
        const CpuRow *row = &cpu_rows[i];
        if (row->maker == cpu.maker && row->family == cpu.family && row->first <= cpu.model &&
            cpu.model <= row->last)
            return &machine_rows[row->machine];
    }
    return &machine_rows[MACHINE_generic];
}

#if defined(__x86_64__)
static Cpu this_cpu(void)
{
    unsigned most, vendor[3], version, b, c, d;
    Cpu cpu = {CPU_OTHER, 0, 0};
    if (!__get_cpuid(0, &most, &vendor[0], &vendor[2], &vendor[1]) ||
        !__get_cpuid(1, &version, &b, &c, &d))
        return cpu;
    if (memcmp(vendor, "AuthenticAMD", sizeof vendor) == 0)
        cpu.maker = CPU_AMD;
    else if (memcmp(vendor, "GenuineIntel", sizeof vendor) == 0)
        cpu.maker = CPU_INTEL;
    cpu.family = (int)(version >> 8 & 15);
    cpu.model = (int)((version >> 4 & 15) | (version >> 12 & 0xf0));
    if (cpu.family == 15)
        cpu.family += (int)(version >> 20 & 0xff);
    return cpu;
}
#else
static Cpu this_cpu(void)
{
    Cpu cpu = {CPU_OTHER, 0, 0};
    char text[32] = "";
    FILE *f = fopen("/sys/devices/system/cpu/cpu0/regs/identification/midr_el1", "r");
    if (!f)
        return cpu;
    const unsigned long midr = fgets(text, sizeof text, f) ? strtoul(text, NULL, 16) : 0;
    fclose(f);
    if ((midr >> 24 & 0xff) == 0x41)
        cpu = (Cpu){CPU_ARM, 0, (int)(midr >> 4 & 0xfff)};
    return cpu;
}
#endif

const Machine *native_machine(void)
{
    return machine_of(this_cpu());
}
