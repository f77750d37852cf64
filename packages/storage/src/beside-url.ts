/**
 * The URL of what may lie beside an object, its name with `suffix`. Undefined where the name is in a query or signed with
 * one: what lies beside is not said there.
 */
export function besideUrl(url: string, suffix: string): string | undefined {
  return /^https?:[^?#]*[?#]/i.test(url) ? undefined : `${url}${suffix}`;
}
