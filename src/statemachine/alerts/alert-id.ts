/** The number in an alert's id, or undefined when the text is not an id in its only spelling. */
export function idNumber(id: string): number | undefined {
  if (id.length < 2 || id[0] !== 'A' || id[1] === '0') return undefined;
  let value = 0;
  for (let i = 1; i < id.length; i += 1) {
    const digit = id.charCodeAt(i) - 0x30;
    if (digit < 0 || digit > 9) return undefined;
    value = value * 10 + digit;
  }
  return Number.isSafeInteger(value) ? value : undefined;
}
