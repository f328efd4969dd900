/**
 * How much longer than usual the interleaving tests may take: 1 for every day, more for a thorough run, as
 * `VITE_INTERLEAVINGS_EFFORT=20 npx vitest run test/interleavings`. It multiplies the runs after which exhaustive
 * exploration gives way to sampling, and the samples.
 */
export const effort = Number(import.meta.env.VITE_INTERLEAVINGS_EFFORT ?? 1);

/** Milliseconds that one test may take. */
export const patience = 120_000 * effort;
