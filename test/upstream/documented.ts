import { parse as parseToml } from "smol-toml";
import { blocksOf } from "../docs/pages.ts";
import type { UpstreamEntry } from "./edge-entry.ts";

const page = "docs/pull-through.md";

/** The files of other programs that docs/pull-through.md shows; the tests of the clients write them as they are. */
export const clientFiles = {
  containerd: "/etc/containerd/certs.d/_default/hosts.toml",
  containerdNamed: "/etc/containerd/certs.d/docker.io/hosts.toml",
  docker: "/etc/docker/daemon.json",
  containers: "/etc/containers/registries.conf.d/skerry.conf",
} as const;

/** The content that the page shows for a file. @throws Error if it shows none. */
export function documentedFile(path: string): string {
  const block = blocksOf(page).find(({ label }) => label === path);
  if (block === undefined) throw new Error(`${page} shows no ${path}`);
  return `${block.text}\n`;
}

/** The upstreams that it shows as a part of wrangler.toml. @throws Error if it shows none. */
export function documentedUpstreams(): readonly UpstreamEntry[] {
  const tables = blocksOf(page).filter(({ language, label }) => language === "toml" && label === "");
  const vars = tables.map(({ text }) => parseToml(text).vars as { readonly UPSTREAMS?: string } | undefined);
  const value = vars.find((each) => each?.UPSTREAMS !== undefined)?.UPSTREAMS;
  if (value === undefined) throw new Error(`${page} shows no UPSTREAMS`);
  return JSON.parse(value);
}
