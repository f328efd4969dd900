/** Reads `--grant PATTERN=ACTIONS` options, such as `team/*=pull,push`. @throws Error naming a wrong one. */
export function readGrants(options: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    options.map((option) => {
      const equals = option.indexOf("=");
      if (equals < 1)
        throw new Error(`--grant ${option}: PATTERN=ACTIONS expected, such as team/*=pull,push`);
      return [option.slice(0, equals), option.slice(equals + 1)];
    }),
  );
}
