import { expect, it } from "vitest";
import { parseRepositoryName } from "../../src/oci/name.ts";
import { noteForCollection } from "../../src/storage/catalog.ts";
import { faults } from "../doubles/faults.ts";
import { r2Error } from "../doubles/r2-error.ts";
import { createTestRegistry } from "../support/registry.ts";

const name = parseRepositoryName("team/app");

it("leaves it to others who note the same repository at this moment", async () => {
  const world = createTestRegistry();
  const { store } = world.client().registry;
  const puts = { matching: ({ kind }: { readonly kind: string }) => kind === "put", when: "before" as const };
  world.gate.policy = faults([{ ...puts, error: () => r2Error("put", 10058) }]);
  await expect(noteForCollection(store, name)).resolves.toBeUndefined();
  world.gate.policy = faults([puts]);
  await expect(noteForCollection(store, name)).rejects.toThrow("10001");
});
