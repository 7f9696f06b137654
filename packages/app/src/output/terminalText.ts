/**
 * Control characters (C0, DEL and C1: escape sequences begin with ESC or 0x9b), characters that turn the direction of
 * writing around, invisible ones by which a name can look like another, line separators, and surrogates that stand
 * alone. Joiners (U+200C, U+200D) stay: writing systems and emoji need them, and a terminal takes no harm.
 */
const UNSAFE =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  /[\x00-\x1f\x7f-\x9f\u00ad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\u{e0000}-\u{e007f}]|\p{Surrogate}/gu

/**
 * Text that may come from strangers - names from torrents, software of peers, words of trackers - as it can be shown on
 * one line of a terminal: what could act on it is spelled out as `\x1b` or `\u{202e}`.
 */
export function terminalText(text: string): string {
  return text.replace(UNSAFE, (character) => {
    const code = character.codePointAt(0) ?? 0
    return code < 0x100 ? `\\x${code.toString(16).padStart(2, '0')}` : `\\u{${code.toString(16)}}`
  })
}

/** JSON on one line that a terminal takes no harm from either: it reads back as the same value. */
export function jsonText(value: unknown): string {
  return JSON.stringify(value).replace(UNSAFE, (character) => {
    let escaped = ''
    for (let i = 0; i < character.length; i++) {
      escaped += `\\u${character.charCodeAt(i).toString(16).padStart(4, '0')}`
    }
    return escaped
  })
}
