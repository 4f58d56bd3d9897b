/** True for dotted decimal without leading zeros. */
export function isCanonicalIpv4(text: string): boolean {
  let dots = 0;
  let part = -1;
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index);
    if (code === DOT) {
      if (part < 0) return false;
      dots++;
      part = -1;
    } else {
      // A zero in front of another digit is not canonical.
      if (code < ZERO || code > NINE || part === 0) return false;
      part = (part < 0 ? 0 : part * 10) + (code - ZERO);
      if (part > 255) return false;
    }
  }
  return dots === 3 && part >= 0;
}

/**
 * True only for IPv6 as RFC 5952 prints it, and not for every such text: addresses that begin with
 * "::", among them the IPv4-mapped ones, and those with zero words beside "::" are left to a parser.
 */
export function isCanonicalIpv6(text: string): boolean {
  let words = 0;
  let zeros = 0;
  let digits = 0;
  let gaps = 0;
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index);
    if (code === COLON) {
      if (digits === 0) return false;
      words++;
      digits = 0;
      if (text.charCodeAt(index + 1) === COLON) {
        gaps++;
        index++;
      }
    } else {
      const isDigit = code >= ZERO && code <= NINE;
      if (!isDigit && (code < LOWER_A || code > LOWER_F)) return false;
      if (digits === 0 && code === ZERO) {
        // Leading zeros, and zero words: only alone, where no run of them can be meant.
        const next = text.charCodeAt(index + 1);
        if (next !== COLON && index + 1 < text.length) return false;
        zeros++;
      }
      if (++digits > 4) return false;
    }
  }
  if (digits > 0) words++;
  else if (!text.endsWith("::")) return false;
  if (gaps === 0) return words === 8 && zeros <= 1;
  return gaps === 1 && words <= 6 && zeros === 0;
}

const DOT = 0x2e;
const COLON = 0x3a;
const ZERO = 0x30;
const NINE = 0x39;
const LOWER_A = 0x61;
const LOWER_F = 0x66;
