/** The one of `names` that `typo` was probably meant to be; undefined when none is near. */
export function closestName<Name extends string>(typo: string, names: readonly Name[]): Name | undefined {
  let best: Name | undefined
  // A third of the letters may be wrong: more, and any name would do.
  let bestDistance = Math.ceil(typo.length / 3) + 1
  for (const name of names) {
    const distance = editDistance(typo.toLowerCase(), name.toLowerCase())
    if (distance < bestDistance) {
      best = name
      bestDistance = distance
    }
  }
  return best
}

/** How many letters must be inserted, removed or replaced to turn `a` into `b` (Levenshtein). */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i)
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++) {
      const replaced = row[j - 1] + (a[i - 1] === b[j - 1] ? 0 : 1)
      next.push(Math.min(replaced, row[j] + 1, next[j - 1] + 1))
    }
    row = next
  }
  return row[b.length]
}
