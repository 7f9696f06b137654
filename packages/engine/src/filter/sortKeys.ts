/**
 * The keys in `keys`, each of `words` numbers of 32 bits, ascending and each once. Lists come sorted more often than not:
 * that costs nothing but a look.
 */
export function sortKeys(keys: Uint32Array, words: 1 | 4): Uint32Array {
  if (words === 1) return unique(isAscending(keys, 1) ? keys : keys.slice().sort(), 1)
  if (isAscending(keys, words)) return unique(keys, words)
  return unique(sortWide(keys, words), words)
}

/** Sorts what belongs together by its place: the keys themselves are moved once. */
function sortWide(keys: Uint32Array, words: number): Uint32Array {
  const count = keys.length / words
  const order = new Uint32Array(count)
  for (let i = 0; i < count; i++) order[i] = i * words
  order.sort((a, b) => {
    for (let word = 0; word < words; word++) {
      const difference = keys[a + word] - keys[b + word]
      if (difference !== 0) return difference
    }
    return 0
  })
  const sorted = new Uint32Array(keys.length)
  for (let i = 0; i < count; i++) {
    for (let word = 0; word < words; word++) sorted[i * words + word] = keys[order[i] + word]
  }
  return sorted
}

function isAscending(keys: Uint32Array, words: number): boolean {
  for (let at = words; at < keys.length; at += words) {
    for (let word = 0; word < words; word++) {
      const before = keys[at - words + word]
      if (before > keys[at + word]) return false
      if (before < keys[at + word]) break
    }
  }
  return true
}

function unique(keys: Uint32Array, words: number): Uint32Array {
  let length = 0
  for (let at = 0; at < keys.length; at += words) {
    let isNew = length === 0
    for (let word = 0; word < words && !isNew; word++) isNew = keys[length - words + word] !== keys[at + word]
    if (!isNew) continue
    if (length !== at) for (let word = 0; word < words; word++) keys[length + word] = keys[at + word]
    length += words
  }
  return keys.subarray(0, length)
}
