const wide: readonly (readonly [number, number])[] = [
  [0x1100, 0x115f],
  [0x2e80, 0x303e],
  [0x3041, 0xa4cf],
  [0xac00, 0xd7a3],
  [0xf900, 0xfaff],
  [0xfe30, 0xfe4f],
  [0xff00, 0xff60],
  [0xffe0, 0xffe6],
  [0x1f300, 0x1f64f],
  [0x1f680, 0x1f6ff],
  [0x1f900, 0x1f9ff],
  [0x20000, 0x3fffd],
];

function widthOfCharacter(character: string): number {
  const code = character.codePointAt(0) as number;
  if (code < 0x300) return 1;
  if (/^[\p{Mn}\p{Me}]$/u.test(character)) return 0;
  return wide.some(([from, to]) => code >= from && code <= to) ? 2 : 1;
}

/** Most text: every character takes one column. */
const plain = /^[\u0020-\u007e]*$/;

/** Columns that `text` takes on a terminal (East Asian wide characters take two, combining marks none). */
export function displayWidth(text: string): number {
  if (plain.test(text)) return text.length;
  let width = 0;
  for (const character of text) width += widthOfCharacter(character);
  return width;
}

/** `text` in exactly `width` columns: padded on the left or right, or cut with an ellipsis. */
export function fit(text: string, width: number, right: boolean): string {
  const full = displayWidth(text);
  if (full <= width) {
    const padding = " ".repeat(width - full);
    return right ? padding + text : text + padding;
  }
  let cut = "";
  let used = 0;
  for (const character of text) {
    const next = widthOfCharacter(character);
    if (used + next > width - 1) break;
    cut += character;
    used += next;
  }
  return `${cut}…${" ".repeat(width - 1 - used)}`;
}
