const everyMs = 20_000;

/** Prints how far a long work is, every 20 s while it runs. */
export async function withProgress<T>(what: string, state: () => string, work: () => Promise<T>): Promise<T> {
  const began = performance.now();
  const timer = setInterval(() => console.log(`million, ${what}: ${state()}, after ${((performance.now() - began) / 1_000).toFixed(0)} s`), everyMs);
  try {
    return await work();
  } finally {
    clearInterval(timer);
  }
}
