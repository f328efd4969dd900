import { reset } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { beforeEach, describe } from "vitest";
import { createDoubles } from "./doubles.ts";
import { responseCache } from "./fidelity/cache.ts";
import { conditions } from "./fidelity/conditions.ts";
import { keyValue } from "./fidelity/kv.ts";
import { lists } from "./fidelity/lists.ts";
import { multipartUploads } from "./fidelity/multipart.ts";
import { objects } from "./fidelity/objects.ts";
import { ranges } from "./fidelity/ranges.ts";

// One suite over the simulators and the doubles: tests may rely on what both do.
let doubles = createDoubles();
beforeEach(async () => {
  await reset();
  doubles = createDoubles();
});

describe.each([
  ["the R2 simulator", () => env.BUCKET],
  ["the R2 double", () => doubles.r2.actor("test")],
])("%s", (_name, open) => {
  objects(open);
  conditions(open);
  ranges(open);
  lists(open);
  multipartUploads(open);
});

describe.each([
  ["the KV simulator", () => env.TAGS],
  ["the KV double", () => doubles.kv.actor("test")],
])("%s", (_name, open) => keyValue(open));

describe.each([
  ["the cache simulator", () => caches.default],
  ["the cache double", () => doubles.cache.actor("test")],
])("%s", (_name, open) => responseCache(open));
