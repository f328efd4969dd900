/** The look of the pages: the system's own letters, one accent, light or dark as the visitor's system is. */
export const style = `
:root {
  color-scheme: light dark;
  --page: #fbfaf7; --card: #ffffff; --line: #dcdad2; --sunk: #f1efe8;
  --text: #1b2426; --soft: #526065; --accent: #0f5f6b; --accent-text: #ffffff; --danger: #a3281c;
  --notice: #fdf1d8; --a: #2f7d89; --b: #6b8f4e; --c: #b07d35; --d: #7b6aa8; --shared: #8c979a;
  --mono: ui-monospace, "SF Mono", "Cascadia Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace;
}
@media (prefers-color-scheme: dark) {
  :root {
    --page: #12181a; --card: #1a2224; --line: #334044; --sunk: #0d1213;
    --text: #e4eaea; --soft: #a2b3b7; --accent: #7ccfd9; --accent-text: #0b2327; --danger: #ffa194;
    --notice: #3a2f14; --a: #4fa3b0; --b: #8db46c; --c: #d2a05a; --d: #a394d1; --shared: #6f7d81;
  }
}
*, ::before, ::after { box-sizing: border-box; }
body {
  margin: 0 auto; padding: 0 1.25rem; max-width: 66rem; min-height: 100vh; display: flex; flex-direction: column;
  background: var(--page); color: var(--text);
  font: 1rem/1.55 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", "DejaVu Sans", sans-serif;
}
h1, h2, h3 { line-height: 1.25; font-weight: 650; overflow-wrap: anywhere; }
h1 { font-size: 1.65rem; letter-spacing: -.012em; margin: 0; }
h2 { font-size: 1.15rem; margin: 2.25rem 0 .75rem; }
p { margin: .5rem 0; max-width: 44rem; }
a { color: var(--accent); text-underline-offset: .18em; text-decoration-thickness: .06em; }
a:hover { text-decoration-thickness: .12em; }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; border-radius: 3px; }
main:focus { outline: none; }
code, .code { font-family: var(--mono); font-size: .875em; overflow-wrap: anywhere; }
.skip { position: absolute; left: -999rem; padding: .5rem 1rem; background: var(--card); }
.skip:focus { left: 1rem; top: .5rem; z-index: 1; }
.unseen { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
.top { display: flex; flex-wrap: wrap; align-items: center; gap: .5rem 1.5rem; padding: 1rem 0; border-bottom: 1px solid var(--line); }
.brand { display: flex; align-items: center; gap: .5rem; font-weight: 700; font-size: 1.1rem; color: var(--text); text-decoration: none; }
.brand path { fill: var(--accent); }
.menu { display: flex; flex-wrap: wrap; align-items: center; gap: .4rem 1.25rem; margin-left: auto; }
.menu a { text-decoration: none; }
.menu a:hover { text-decoration: underline; }
.sign-out { display: flex; align-items: center; gap: .6rem; }
.account { font-weight: 600; overflow-wrap: anywhere; }
.trail ol { display: flex; flex-wrap: wrap; gap: .25rem; list-style: none; padding: 0; margin: 1rem 0 -.75rem; font-size: .9rem; }
.trail li::after { content: "/"; padding-left: .25rem; color: var(--soft); }
.trail a { overflow-wrap: anywhere; }
main { flex: 1; padding: 1.75rem 0 3rem; min-width: 0; }
footer { padding: 1rem 0 1.5rem; border-top: 1px solid var(--line); color: var(--soft); font-size: .85rem; }
.heading { display: flex; flex-wrap: wrap; align-items: center; justify-content: space-between; gap: .75rem 1.5rem; margin-bottom: 1.25rem; }
.hint, .empty { color: var(--soft); }
.hint { font-size: .9rem; }
.empty { padding: 2.5rem 1rem; text-align: center; border: 1px dashed var(--line); border-radius: .5rem; max-width: none; }
button, .button {
  font: inherit; font-weight: 600; padding: .4rem .9rem; border: 1px solid var(--accent); border-radius: .4rem;
  background: var(--accent); color: var(--accent-text); cursor: pointer; text-decoration: none; display: inline-block;
}
button[hidden] { display: none; }
button:hover { filter: brightness(1.1); }
button.quiet { background: transparent; color: var(--accent); font-weight: 500; padding: .2rem .6rem; border-color: var(--line); }
button.danger { background: var(--danger); border-color: var(--danger); color: var(--page); }
a.danger { color: var(--danger); }
input { font: inherit; color: inherit; background: var(--card); border: 1px solid var(--soft); border-radius: .4rem; padding: .4rem .65rem; width: 100%; }
.search { flex: 0 1 24rem; min-width: 0; }
.search form { display: flex; gap: .5rem; }
.card { background: var(--card); border: 1px solid var(--line); border-radius: .55rem; padding: 1rem 1.15rem; }
.sign-in { max-width: 24rem; margin: 2rem auto; padding: 1.5rem; }
.sign-in label { display: block; margin: 1rem 0 .25rem; font-weight: 600; }
.sign-in button { margin-top: 1.25rem; width: 100%; }
.problem { color: var(--danger); font-weight: 600; }
.notice { background: var(--notice); border: 1px solid var(--line); border-radius: .55rem; padding: 1.25rem; margin-bottom: 1.25rem; }
.repositories { list-style: none; padding: 0; margin: 0; background: var(--card); border: 1px solid var(--line); border-radius: .55rem; }
.repositories li + li { border-top: 1px solid var(--line); }
.repositories a { display: block; padding: .65rem 1.15rem; text-decoration: none; font-weight: 600; overflow-wrap: anywhere; }
.repositories a:hover { text-decoration: underline; }
.folder { font-weight: 400; color: var(--soft); }
.orders, .pages { display: flex; flex-wrap: wrap; gap: .35rem 1rem; margin: 0 0 1rem; }
.pages { margin: 1.5rem 0 0; }
.orders a[aria-current] { color: var(--text); font-weight: 650; text-decoration: none; border-bottom: 2px solid var(--accent); }
.tags { list-style: none; padding: 0; margin: 0; display: grid; gap: .75rem; }
.tag-line { display: flex; flex-wrap: wrap; align-items: baseline; gap: .35rem .6rem; }
.tag-line h2 { margin: 0; font-size: 1.1rem; }
.tag-line h2 a { text-decoration: none; }
.actions { margin-left: auto; display: flex; gap: 1rem; font-size: .9rem; }
.badge { font-size: .8rem; padding: .05rem .5rem; border: 1px solid var(--line); border-radius: 1rem; color: var(--soft); background: var(--page); overflow-wrap: anywhere; }
.facts { display: flex; flex-wrap: wrap; gap: .5rem 2rem; margin: .6rem 0; }
.facts div { min-width: 0; }
.facts dt { font-size: .8rem; color: var(--soft); }
.facts dd { margin: 0; overflow-wrap: anywhere; }
.command { display: flex; align-items: center; justify-content: space-between; gap: .75rem; padding: .4rem .4rem .4rem .75rem; background: var(--sunk); border: 1px solid var(--line); border-radius: .4rem; min-height: 2.6rem; }
.command + .command { margin-top: .5rem; }
.command ~ .facts { margin: 1.1rem 0; }
.table { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
caption { text-align: left; color: var(--soft); font-size: .9rem; padding-bottom: .4rem; }
th, td { text-align: left; vertical-align: top; padding: .5rem .9rem .5rem 0; border-bottom: 1px solid var(--line); }
thead th { font-size: .8rem; font-weight: 600; color: var(--soft); }
tbody th { font-weight: 600; }
td a.code, th code { white-space: nowrap; font-weight: 400; }
.number { text-align: right; white-space: nowrap; }
.pairs th { width: 30%; min-width: 9rem; font-weight: 500; color: var(--soft); overflow-wrap: anywhere; }
.steps { white-space: pre-wrap; overflow-wrap: anywhere; }
.history { padding-left: 1.75rem; }
.history li { margin: .35rem 0; }
.history .badge { margin-left: .6rem; white-space: nowrap; }
.history li::marker { color: var(--soft); }
.scale { display: block; width: 100%; height: 2rem; border-radius: .35rem; margin: .5rem 0 1rem; }
.bar { display: block; width: 100%; min-width: 6rem; height: .8rem; margin-top: .35rem; }
.tone-0 { fill: var(--a); } .tone-1 { fill: var(--b); } .tone-2 { fill: var(--c); } .tone-3 { fill: var(--d); } .tone-shared { fill: var(--shared); }
.gap { stroke: var(--page); stroke-width: 2; vector-effect: non-scaling-stroke; }
.confirm { border-color: var(--danger); }
.confirm form { display: flex; flex-wrap: wrap; align-items: center; gap: 1rem; margin-top: 1.25rem; }
.use .share { width: 45%; min-width: 8rem; }
.use .share .bar { height: 1rem; margin: .25rem 0; }
.report { margin: .75rem 0; }
.report h3 { margin: 0; font-size: 1rem; }
.notice h2 { margin-top: 0; }
.row button.quiet { padding: .4rem .9rem; }
.row { display: flex; flex-wrap: wrap; gap: .75rem; margin: 1rem 0; }
ul.plain { padding-left: 1.1rem; }
@media (max-width: 40rem) {
  .wide { min-width: 36rem; }
  body { padding: 0 .9rem; }
  .menu { margin-left: 0; }
  .search { flex-basis: 100%; }
  .pairs th, .pairs td { display: block; width: auto; border: 0; padding-bottom: 0; }
  .pairs tr { display: block; border-bottom: 1px solid var(--line); padding-bottom: .5rem; }
}
@media (prefers-reduced-motion: no-preference) { button { transition: filter .15s; } }
`;
