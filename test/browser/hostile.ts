/** Sets a flag, should it ever run. */
const run = "window.__ran=1";

/** What somebody could put into an image so that it runs in the browser of who looks at it. */
export const attacks: Readonly<Record<string, string>> = {
  script: `<script>${run}</script>`,
  image: `"><img src=x onerror="${run}">`,
  "svg in an attribute": `' onmouseover='${run}' x='<svg/onload=${run}>`,
  "org.opencontainers.image.url": `javascript:${run}`,
  "org.opencontainers.image.source": `data:text/html,<script>${run}</script>`,
  "org.opencontainers.image.documentation": ` java\tscript:${run}`,
  "\u202Eltr.txt": "\u202Eevil\u2066\u0000\u001B[31m\u0007",
  [`<b onclick=${run}>key</b>`]: "</dd></dl></main></body><h1 id=escaped>",
  long: "x".repeat(100_000),
  template: `{{constructor.constructor("${run}")()}} \${${run}}`,
};

export const hostileConfig = {
  created: `<script>${run}</script>`,
  author: `<script>${run}</script>`,
  os: "<img src=x>",
  architecture: `"><script>${run}</script>`,
  config: {
    Env: Object.entries(attacks).map(([name, value]) => `${name}=${value}`),
    Entrypoint: Object.values(attacks),
    Cmd: [{ not: "a string" }, 7, null],
    User: `<script>${run}</script>`,
    WorkingDir: `javascript:${run}`,
    Labels: attacks,
  },
  history: [...Object.values(attacks).map((created_by) => ({ created_by })), "no object", null],
};
