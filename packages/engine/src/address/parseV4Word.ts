/**
 * An IPv4 address in text as an unsigned number of 32 bits, or -1 when it is none: four decimal numbers without leading
 * zeros, which mean octal to some and decimal to others, so that nobody is sent elsewhere. Makes no garbage.
 */
export function parseV4Word(text: string): number {
  let word = 0
  let octet = 0
  let digits = 0
  let dots = 0
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i)
    if (code === 0x2e) {
      if (digits === 0 || ++dots > 3) return -1
      word = word * 256 + octet
      octet = 0
      digits = 0
      continue
    }
    if (code < 0x30 || code > 0x39 || (digits > 0 && octet === 0)) return -1
    octet = octet * 10 + code - 0x30
    if (++digits > 3 || octet > 255) return -1
  }
  return dots === 3 && digits > 0 ? word * 256 + octet : -1
}
