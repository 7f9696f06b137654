import type { Millis } from '../util/flavored.ts'
import { decodeLtTex } from '../wire/ltTexMessage.ts'
import { isShareable } from './texPolicy.ts'

/** BEP 28 has one message in two minutes; of more than this nothing is read. */
const MESSAGES_PER_WINDOW = 4
const WINDOW_MS: Millis = 120_000
/** One peer names no more trackers that we take. */
const MAX_URLS_OF_PEER = 20

/** The trackers one peer told us of (BEP 28). */
export class TexInbox {
  private readonly times: Millis[] = []
  private readonly known = new Set<string>()

  /**
   * @param isPeerLocal the peer is on our network: only then may it name trackers there.
   * @returns URLs not heard from it before that may be used, or what to close the connection with.
   */
  receive(payload: Uint8Array, now: Millis, isPeerLocal: boolean): string[] | 'invalidLtTrackerMessage' {
    if (this.isTooOften(now)) return []
    const urls = decodeLtTex(payload)
    if (urls === null) return 'invalidLtTrackerMessage'
    const news: string[] = []
    for (const url of urls) {
      if (this.known.size >= MAX_URLS_OF_PEER) break
      if (this.known.has(url) || !isShareable(url, isPeerLocal)) continue
      this.known.add(url)
      news.push(url)
    }
    return news
  }

  private isTooOften(now: Millis): boolean {
    const { times } = this
    if (times.length === MESSAGES_PER_WINDOW) {
      if (now - times[0] < WINDOW_MS) return true
      times.shift()
    }
    times.push(now)
    return false
  }
}
