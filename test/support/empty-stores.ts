import { reset } from "cloudflare:test";

// Files share one runtime, one after the other: each finds R2, KV and the cache of the simulators empty.
await reset();
