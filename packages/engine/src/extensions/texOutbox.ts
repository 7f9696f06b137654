import { sha1 } from '../crypto/sha1.ts'
import { concatBytes, equalBytes, utf8 } from '../util/bytes.ts'
import type { Millis } from '../util/flavored.ts'
import { encodeLtTex } from '../wire/ltTexMessage.ts'

/** BEP 28: a peer is told no more often. */
export const TEX_INTERVAL_MS: Millis = 120_000
/** A new peer is told this long after its handshake (libtorrent). */
const FIRST_AFTER_MS: Millis = 5000
/** A message names no more; the rest goes into the next. */
const MAX_URLS = 50

/** How far one peer has been told. */
export class TexRecipient {
  /** Number of the last tracker it was told of. */
  told = 0
  nextAt: Millis

  constructor(now: Millis) {
    this.nextAt = now + FIRST_AFTER_MS
  }
}

/**
 * What one torrent tells of its trackers (BEP 28): to a peer that is new all of them, unless its list has the same hash as
 * ours, and then those that were added.
 */
export class TexOutbox {
  /** The trackers that are told, numbered as they came. */
  private readonly numbers = new Map<string, number>()
  private last = 0
  private listHash: Uint8Array = hashOf([])

  /** SHA-1 of the URLs, sorted and put together: what libtorrent sends as `tr`. */
  get hash(): Uint8Array {
    return this.listHash
  }

  /** Takes the list as it is now. */
  update(urls: readonly string[]): void {
    const now = new Set(urls)
    let hasChanged = false
    for (const url of this.numbers.keys()) if (!now.has(url)) hasChanged = this.numbers.delete(url)
    for (const url of now) {
      if (this.numbers.has(url)) continue
      this.numbers.set(url, ++this.last)
      hasChanged = true
    }
    if (hasChanged) this.listHash = hashOf(urls)
  }

  /** The peer said what its list is. */
  compare(recipient: TexRecipient, hash: Uint8Array | null): void {
    if (hash !== null && equalBytes(hash, this.listHash)) recipient.told = this.last
  }

  /** What to send to `recipient` now, or null. It counts as sent. */
  take(recipient: TexRecipient, now: Millis): Uint8Array | null {
    if (recipient.told >= this.last || now < recipient.nextAt) return null
    const added: string[] = []
    // Numbers only grow, and a map keeps its order.
    for (const [url, number] of this.numbers) {
      if (number <= recipient.told) continue
      if (added.length === MAX_URLS) break
      added.push(url)
      recipient.told = number
    }
    if (added.length < MAX_URLS) recipient.told = this.last
    if (added.length === 0) return null
    recipient.nextAt = now + TEX_INTERVAL_MS
    return encodeLtTex(added)
  }
}

function hashOf(urls: readonly string[]): Uint8Array {
  return sha1(concatBytes(...[...new Set(urls)].sort().map(utf8))).bytes
}
