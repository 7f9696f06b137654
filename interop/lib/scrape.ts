export interface ScrapeCounts {
  readonly seeds: number
  readonly downloaders: number
}

/** Asks the HTTP tracker on 127.0.0.1 about one torrent, `infoHash` in hexadecimal. */
export async function scrape(port: number, infoHash: string): Promise<ScrapeCounts> {
  const escaped = infoHash.replace(/../g, (byte) => `%${byte}`)
  const response = await fetch(`http://127.0.0.1:${port}/scrape?info_hash=${escaped}`)
  const text = Buffer.from(await response.arrayBuffer()).toString('latin1')
  const count = (key: string) => Number(text.match(new RegExp(`${key}i(\\d+)e`))?.[1] ?? 0)
  return { seeds: count('8:complete'), downloaders: count('10:incomplete') }
}
