/** The bindings of wrangler.toml, as tests inside workerd get them. */
declare namespace Cloudflare {
  interface Env {
    readonly BUCKET: R2Bucket;
    readonly TAGS: KVNamespace;
  }
}

/** Variables whose names begin with VITE_ reach tests inside workerd. */
interface ImportMeta {
  readonly env: Readonly<Record<`VITE_${string}`, string | undefined>>;
}

/** Documentation that a test reads inside workerd, where there are no files. */
declare module "*.md?raw" {
  const text: string;
  export default text;
}
