/**
 * Environment variables under which glibc gives memory back. Left alone it raises the threshold above which a block is
 * mapped by itself to the largest such block that was freed, up to 32 MiB: weights, pictures and bodies then lie in the
 * heap of the process, and what was freed below anything that lives does not come back. Set, the threshold stays
 * (mallopt(3), M_MMAP_THRESHOLD). They are read as a process begins; elsewhere than under glibc nothing reads them.
 */
export const cHeapSettings = { MALLOC_MMAP_THRESHOLD_: String(2 ** 20) };
