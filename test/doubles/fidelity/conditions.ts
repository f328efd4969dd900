import { describe, expect, it } from "vitest";
import { etagOfHello, type Open, range, read, shown } from "./bucket.ts";

/** `onlyIf` of get and put. */
export function conditions(open: Open): void {
  describe("conditions", () => {
    const cases: readonly (readonly [string, R2Conditional | Record<string, string>, boolean, boolean])[] = [
      // what, condition, holds for the object, holds for a missing key
      ["etagMatches", { etagMatches: etagOfHello }, true, false],
      ["another etagMatches", { etagMatches: "other" }, false, false],
      ["etagMatches *", { etagMatches: "*" }, true, false],
      ["etagDoesNotMatch", { etagDoesNotMatch: etagOfHello }, false, true],
      ["another etagDoesNotMatch", { etagDoesNotMatch: "other" }, true, true],
      ["etagDoesNotMatch *", { etagDoesNotMatch: "*" }, false, true],
      ["no condition at all", {}, true, true],
      ["uploadedBefore the past", { uploadedBefore: new Date(0) }, false, true],
      ["uploadedBefore the future", { uploadedBefore: new Date(4e12) }, true, true],
      ["uploadedAfter the past", { uploadedAfter: new Date(0) }, true, false],
      ["uploadedAfter the future", { uploadedAfter: new Date(4e12) }, false, false],
      ["etagMatches before the past", { etagMatches: etagOfHello, uploadedBefore: new Date(0) }, true, false],
      [
        "etagDoesNotMatch after the future",
        { etagDoesNotMatch: "other", uploadedAfter: new Date(4e12) },
        true,
        false,
      ],
      ["If-Match", { "if-match": `"other", "${etagOfHello}"` }, true, false],
      ["weak If-Match", { "if-match": `W/"${etagOfHello}"` }, false, false],
      ["If-None-Match", { "if-none-match": `"${etagOfHello}"` }, false, true],
      ["weak If-None-Match", { "if-none-match": `W/"${etagOfHello}"` }, false, true],
      ["If-None-Match *", { "if-none-match": "*" }, false, true],
    ];

    it.each(cases)("%s", async (_name, condition, holds, holdsForNothing) => {
      const isHeaders = Object.keys(condition).some((key) => key.includes("-"));
      const onlyIf = isHeaders
        ? new Headers(condition as Record<string, string>)
        : (condition as R2Conditional);
      await open().put("a", "hello");
      const get = await open().get("a", { onlyIf });
      expect([get !== null, await read(get)]).toEqual([true, holds ? "hello" : undefined]);
      expect(await open().get("missing", { onlyIf })).toBeNull();
      const put = await open().put("a", "new", { onlyIf });
      expect([put !== null, await read(await open().get("a"))]).toEqual([holds, holds ? "new" : "hello"]);
      const create = await open().put("missing", "new", { onlyIf });
      expect([create !== null, (await open().head("missing")) !== null]).toEqual([
        holdsForNothing,
        holdsForNothing,
      ]);
    });

    it("shows the object without a body when a get's condition fails", async () => {
      const put = await open().put("a", "hello", { customMetadata: { k: "v" } });
      const get = await open().get("a", { onlyIf: { etagMatches: "other" }, range: { offset: 9 } });
      expect([shown(get), range(get)]).toEqual([shown(put), { offset: 0, length: 5 }]);
    });

    it("refuses an etag in quotes", async () => {
      const get = open().get("a", { onlyIf: { etagMatches: `"${etagOfHello}"` } });
      await expect(get).rejects.toThrow(TypeError);
    });

    it("lets one of several writers create a key", async () => {
      const puts = ["1", "2", "3"].map((text) =>
        open().put("a", text, { onlyIf: { etagDoesNotMatch: "*" } }),
      );
      const won = (await Promise.all(puts)).filter((object) => object !== null);
      expect(won.map((object) => object.etag)).toEqual([(await open().head("a"))?.etag]);
    });
  });
}
