/** Cloudflare's published prices beyond what is included, in US dollars (developers.cloudflare.com, November 2026). */
export const prices = {
  /** R2, class A: writes and lists. */
  A: 4.5 / 1e6,
  /** R2, class B: reads. */
  B: 0.36 / 1e6,
  /** A gigabyte in R2 for a month. */
  gigabyte: 0.015,
  kvRead: 0.5 / 1e6,
  kvWrite: 5 / 1e6,
  kvGigabyte: 0.5,
  /** A request to a Worker on the Paid plan. */
  request: 0.3 / 1e6,
  /** A millisecond of CPU. */
  cpu: 0.02 / 1e6,
  /** A queue's operation: a message of at most 64 KB is written, read or deleted. */
  queueOperation: 0.4 / 1e6,
  /** A data point that is written to Analytics Engine. */
  dataPoint: 0.25 / 1e6,
} as const;

/** Cloudflare's published limits. */
export const limits = {
  requestsPerDayFree: 100_000,
  /** Operations of one request: R2, KV and cache. */
  operationsFree: 1000,
  operationsPaid: 10_000,
  /** Keys that one R2 list shows. */
  page: 1000,
  /** Bytes of memory of an isolate. */
  memory: 128e6,
  /** R2 reads of a bucket in a second: from a draft of the documentation, so an indication. */
  readsPerSecond: 20_000,
} as const;

export const daysPerMonth = 30;

/** What is free of charge in a month: R2 on every plan, the rest with the Paid plan, for its basic price. */
export const included = {
  A: 1e6,
  B: 10e6,
  gigabytes: 10,
  requests: 10e6,
  /** Milliseconds of CPU. */
  cpu: 30e6,
  kvReads: 10e6,
  kvWrites: 1e6,
  kvGigabytes: 1,
  queueOperations: 1e6,
  dataPoints: 10e6,
  /** US dollars a month. */
  paidPlan: 5,
} as const;

/** What the Free plan allows in a day. */
export const freePerDay = {
  requests: limits.requestsPerDayFree,
  kvReads: 100_000,
  kvWrites: 1000,
  queueOperations: 10_000,
  dataPoints: 100_000,
} as const;
