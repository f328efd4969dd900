import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type Feature, features } from "./client.ts";
import type { Report, Result } from "./report.ts";

const file = join(import.meta.dirname, "..", "..", "..", "docs", "clients.md");

const introduction = `# Clients

Written by \`npm run test:clients -- --write\`; do not edit. Every cell is a check that a real client made against Skerry
on workerd, over plain HTTP on loopback. What a client pushed is fetched again with plain requests, and every size and
digest in it is compared; what it pulled must have the digest of its source.

\`–\`: the client does not offer it, or the check would be another client's again.
`;

const meanings: Readonly<Record<Feature, string>> = {
  start: "the client, or its daemon, starts",
  push: "an image of one layer",
  pull: "the same image, pushed by another client",
  run: "a container from a pulled image prints what it should",
  build: "an image from one in the registry, pushed",
  inspect: "digest and configuration of a remote image",
  "list tags": "all tags of a repository",
  catalog: "all repositories",
  index: "an image index of two platforms",
  "12 layers": "pushed and pulled",
  "zstd layer": "a `tar+zstd` layer",
  "schema 2": "Docker's image manifest, version 2, schema 2",
  "100 MiB layer": "one layer of 100 MiB that no compression makes smaller",
  mount: "a blob of another repository is mounted instead of uploaded",
  "resumed pull": "a download that broke off at 30 MiB goes on there, by `Range`",
  "partial pull": "of a zstd:chunked layer only what is new is fetched, by `Range`",
  "body limit":
    "a layer of 300 MiB through a proxy that refuses bodies over 100 MB ([big layers](big-layers.md))",
  "skerry push":
    "`skerry push` takes an image of the engine, with a layer of 100 MiB, through that proxy ([big layers](big-layers.md))",
  referrers: "an artifact is attached to an image, and found",
  sign: "an image is signed with a local key, and verified",
  chart: "a Helm chart comes back byte for byte",
  login:
    "with its key, and only with that, a closed registry lets the client push and pull, and only where it may",
  mirror:
    "an image of `docker.io` is pulled under that name through Skerry, and again when `docker.io` is gone ([pull-through](pull-through.md))",
  delete: "a tag, a manifest or a blob is gone afterwards",
};

/** Writes docs/clients.md from the results of a whole run. */
export async function writeMatrix(report: Report): Promise<void> {
  await writeFile(file, matrix(report, await debianRelease()));
}

function matrix(report: Report, release: string): string {
  const clients = [...new Set(report.results.map(({ client }) => client))];
  const notes: string[] = [];
  const cell = (client: string, feature: Feature): string => {
    const result = report.results.find((each) => each.client === client && each.feature === feature);
    return result === undefined ? "–" : outcome(result, notes);
  };
  const row = (cells: readonly string[]) => `| ${cells.join(" | ")} |`;
  const rows = [
    row(["", ...clients]),
    row(["---", ...clients.map(() => "---")]),
    row(["version", ...clients.map((client) => report.versions.get(client) ?? "–")]),
    ...features.map((feature) => row([feature, ...clients.map((client) => cell(client, feature))])),
  ];
  const explained = features.map((feature) => `- ${feature}: ${meanings[feature]}`);
  const numbered = notes.map((note, index) => `${index + 1}. ${note}`);
  const sections = [
    introduction,
    `${rows.join("\n")}\n`,
    `docker to skopeo are the packages of ${release}, the others are built from pinned Go modules.\n`,
    ...(numbered.length > 0 ? [`${numbered.join("\n")}\n`] : []),
    `## What is checked\n\n${explained.join("\n")}\n`,
    `Result: ${report.summary()}.\n`,
  ];
  return sections.join("\n");
}

function outcome({ outcome, client, feature, reason }: Result, notes: string[]): string {
  if (outcome === "ok") return "ok";
  notes.push(`${client}, ${feature}: ${reason?.split("\n")[0]}`);
  return `${outcome} [${notes.length}]`;
}

async function debianRelease(): Promise<string> {
  const text = await readFile("/etc/os-release", "utf8");
  return /^PRETTY_NAME="?([^"\n]*)/m.exec(text)?.[1] ?? "an unknown release";
}
