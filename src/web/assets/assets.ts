import type { RegistryContext } from "../../handlers/context.ts";
import { digestOf, encodedOf } from "../../oci/digest.ts";
import { RegistryError } from "../../oci/error.ts";
import { script } from "./script.ts";
import { style } from "./style.ts";

/** Where the pages find what they load. */
export interface AssetPaths {
  readonly style: string;
  readonly script: string;
}

const prefix = "/-/assets/";
let known: AssetPaths | undefined;

/** The paths name the content by its hash, so that browsers keep it for a year and never keep an old one. */
export async function assetPaths(): Promise<AssetPaths> {
  known ??= {
    style: `${prefix}style-${await hashOf(style)}.css`,
    script: `${prefix}script-${await hashOf(script)}.js`,
  };
  return known;
}

/** GET `/-/assets/<file>`: the style sheet or the script, which every page of this version names. */
export async function getAsset(c: RegistryContext): Promise<Response> {
  const paths = await assetPaths();
  const { path } = c.req;
  if (c.var.registry.config.webUi && path === paths.style) return asset(style, "text/css");
  if (c.var.registry.config.webUi && path === paths.script) return asset(script, "text/javascript");
  throw new RegistryError("UNSUPPORTED", { status: 404, message: "there is nothing here" });
}

function asset(text: string, type: string): Response {
  const body = new TextEncoder().encode(text);
  const headers = {
    "Content-Type": `${type}; charset=utf-8`,
    "Content-Length": String(body.byteLength),
    "Cache-Control": "public, max-age=31536000, immutable",
    "X-Content-Type-Options": "nosniff",
  };
  return new Response(body, { headers });
}

async function hashOf(text: string): Promise<string> {
  return encodedOf(await digestOf(new Uint8Array(new TextEncoder().encode(text)), "sha256")).slice(0, 16);
}
