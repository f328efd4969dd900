import { describe, expect, it } from "vitest";
import { complaintsAbout } from "./blocks.ts";
import { type Block, blocksOf, pages } from "./pages.ts";
import { commandsOf } from "./shell.ts";

const block = (language: string, text: string, label = ""): Block => {
  return { at: "docs/page.md:10", page: "docs/page.md", language, label, text };
};

describe("commands of a script", () => {
  it("are found behind operators, in substitutions and over lines; comments and redirections are not", () => {
    const script = `a 'b # c' "d $X" && e | f --g=1 # h
X=1 i <<< "$(j --k | l)" > m \\
  n
for o in p; do q; done`;
    expect(commandsOf(script).map(({ words }) => words)).toEqual([
      ["a", "b # c", "d $X"],
      ["e"],
      ["f", "--g=1"],
      ["j", "--k"],
      ["l"],
      ["i", "n"],
      ["q"],
    ]);
  });

  it.each(["a 'b", 'a "b', "a $(b"])("%s is refused", (script) => {
    expect(() => commandsOf(script)).toThrow("not closed");
  });
});

describe("the test of the documentation complains of", () => {
  it.each([
    ["a script that there is not", "sh", "npm run nothing"],
    ["a command of ours that there is not", "sh", "npm run skerry -- nothing"],
    ["an option of ours that there is not", "sh", "npm run skerry -- check --repare"],
    ["an option of ours without its value", "sh", "npm run skerry -- gc --registry"],
    ["an argument too many for a command that takes none", "sh", "npm run skerry -- gc now"],
    ["an option of npm start that there is not", "sh", "npm start -- --prot 5000"],
    ["a command of wrangler that there is not", "sh", "npx wrangler secrets put X"],
    ["an option of wrangler that there is not", "sh", "npx wrangler deploy --dry-dock"],
    ["an option of npm run deploy that there is not", "sh", "npm run deploy -- --dry-dock"],
    ["a test that there is not", "sh", "npx vitest run test/nothing"],
    ["a file that there is not", "sh", "node bench/nothing.ts"],
    ["a command of a client that no test runs", "sh", "skopeo sync a b"],
    ["an option of a client that no test runs", "sh", "crane pull --nothing a b"],
    ["a path that the registry does not serve", "sh", "curl https://registry.example.com/v2/a/b"],
    ["a program that is not known", "sh", "cd x && frobnicate"],
    ["what no shell takes", "sh", "npm ci &&& npm test"],
    ["JSON that does not say what it is", "json", "[]"],
    ["JSON that is none", "json", "[", "answer"],
    ["the value of a variable that the Worker refuses", "json", '[{"issuer":"x"}]', "IDENTITY_ISSUERS"],
    ["YAML that is none", "yaml", "a: b: c"],
    ["TOML that is none", "toml", "a ="],
    ["a field that wrangler does not know", "toml", "[observability]\nenabeld = true"],
    ["a variable that the Worker refuses", "toml", '[vars]\nGC = "never"'],
    ["a column that data points have not", "sql", "SELECT blob99 FROM skerry"],
    ["SQL that is none", "sql", "SELECT FROM skerry"],
    ["a script that no test runs", "js", "run()"],
    ["a language that is not known", "ini", "a=b"],
    ["text that is neither", "text", "anything"],
  ])("%s", async (_, language, text, label = "") => {
    const [complaint, ...others] = await complaintsAbout(block(language, text, label));
    expect(complaint).toMatch(/^docs\/page\.md:1\d: ./);
    expect(others).toEqual([]);
  });

  it("nothing where there is nothing to complain of", async () => {
    const script = `npm ci && npm test
npm run -s skerry -- key --account root --admin | npx wrangler secret put ACCOUNTS
npx wrangler r2 bucket create skerry --location weur
curl -s https://registry.example.com/v2/team/app/tags/list?n=10`;
    expect(await complaintsAbout(block("sh", script))).toEqual([]);
    const toml = 'name = "mine"\n[vars]\nGC = "off"';
    expect(await complaintsAbout(block("toml", toml))).toEqual([]);
  });
});

it("finds the blocks of the pages", () => {
  const found = pages.flatMap(blocksOf);
  expect(found.length).toBeGreaterThan(20);
  expect(found.find(({ label }) => label === "IDENTITY_ISSUERS")?.at).toMatch(/^docs\/security\.md:\d+$/);
});
