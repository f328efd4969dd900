/** As in package.json and wrangler.toml, of which the Worker need not carry copies; a test compares. */
export const version = "0.1.0";
export const compatibilityDate = "2026-10-20";
