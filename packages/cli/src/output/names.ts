/** `names` with later duplicates suffixed (`a`, `a_2`, `a_3`), so that each is its own. */
export function uniqueNames(names: readonly string[]): string[] {
  const given = new Set(names);
  const used = new Set<string>();
  return names.map((name) => {
    let unique = name;
    for (let i = 2; used.has(unique) || (unique !== name && given.has(unique)); i++) unique = `${name}_${i}`;
    used.add(unique);
    return unique;
  });
}
