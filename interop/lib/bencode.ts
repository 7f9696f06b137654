export type Bencodable = number | string | Uint8Array | readonly Bencodable[] | { readonly [key: string]: Bencodable }

/**
 * Bencodes `value`. The tests' own writer, so that the torrents they feed to clients do not depend on the code under test.
 * Keys must be ASCII; they are sorted here.
 */
export function bencode(value: Bencodable): Buffer {
  if (typeof value === 'number') return Buffer.from(`i${value}e`)
  if (typeof value === 'string') return bencode(Buffer.from(value))
  if (value instanceof Uint8Array) return Buffer.concat([Buffer.from(`${value.length}:`), value])
  if (isList(value)) return Buffer.concat([Buffer.from('l'), ...value.map(bencode), Buffer.from('e')])
  const parts = Object.keys(value)
    .sort()
    .flatMap((key) => [bencode(key), bencode(value[key] as Bencodable)])
  return Buffer.concat([Buffer.from('d'), ...parts, Buffer.from('e')])
}

function isList(value: Bencodable): value is readonly Bencodable[] {
  return Array.isArray(value)
}
