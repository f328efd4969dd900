import fc from "fast-check";
import { expect, it } from "vitest";
import { digestFrom } from "../../src/oci/digest.ts";
import { packReferences, unpackReferences } from "../../src/storage/packed-references.ts";

const hex = (length: number) =>
  fc.string({ unit: fc.constantFrom(..."0123456789abcdef"), minLength: length, maxLength: length });
const digests = fc.oneof(
  hex(64).map((encoded) => digestFrom("sha256", encoded)),
  hex(128).map((encoded) => digestFrom("sha512", encoded)),
);

it("unpacks what it packed", () => {
  fc.assert(
    fc.property(fc.array(digests, { maxLength: 60 }), (list) => {
      const packed = packReferences(list);
      expect(packed === undefined || packed.length <= 6 * 1024).toBe(true);
      expect(unpackReferences(packed)).toEqual(packed === undefined ? undefined : list);
    }),
  );
});

it("has room for 139 sha256 digests, and packs no part of more", () => {
  const list = Array.from({ length: 140 }, (_, index) =>
    digestFrom("sha256", index.toString(16).padStart(64, "0")),
  );
  expect(unpackReferences(packReferences(list.slice(1)))).toHaveLength(139);
  expect(packReferences(list)).toBeUndefined();
});

it.each(["!", "AAAA", "Aw==", "x".repeat(100)])("takes %j for damaged", (packed) => {
  expect(unpackReferences(packed)).toBeUndefined();
});
