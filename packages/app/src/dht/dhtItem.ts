import { bencode, type Entry, printEntry } from 'libtorrent-ts'

/** An item for JSON: its bytes, bencoded, as hexadecimal digits, and its text if it is one. */
export function itemFields(item: Entry): { readonly text: string | null; readonly bencoded: string } {
  return { text: textOf(item), bencoded: hexOf(bencode(item)) }
}

/** An item for people. */
export function itemLines(item: Entry): string[] {
  const text = textOf(item) ?? printEntry(item)
  return text.replace(/\n$/, '').split('\n')
}

export function hexOf(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex')
}

function textOf(item: Entry): string | null {
  if (!(item instanceof Uint8Array)) return typeof item === 'string' ? item : null
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(item)
  } catch {
    return null
  }
}
