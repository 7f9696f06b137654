/**
 * After the limit of connections was lowered: how many each torrent has to give up. Torrents with few keep theirs, and
 * those with many come to be as even as possible (libtorrent). `counts` are the connections of each.
 */
export function surplusConnections(counts: readonly number[], limit: number): number[] {
  const ascending = [...counts].sort((a, b) => a - b)
  let left = limit
  for (let i = 0; i < ascending.length; i++) {
    const sharing = ascending.length - i
    const share = Math.floor(left / sharing)
    if (ascending[i] <= share) left -= ascending[i]
    else return aboveShare(counts, share, left - share * sharing)
  }
  return counts.map(() => 0)
}

/** What is above `share`, or for the first `extra` torrents that have so many, above one more. */
function aboveShare(counts: readonly number[], share: number, extra: number): number[] {
  let toGive = extra
  return counts.map((count) => {
    if (count <= share) return 0
    const own = toGive-- > 0 ? share + 1 : share
    return count - own
  })
}
