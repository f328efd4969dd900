/** The bindings of wrangler.toml, as tests inside workerd get them. */
declare namespace Cloudflare {
  interface Env {
    readonly BUCKET: R2Bucket;
    readonly TAGS: KVNamespace;
  }
}
