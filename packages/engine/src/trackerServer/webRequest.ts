import { binary20 } from '../util/bytes.ts'
import { isJsonObject, type JsonObject, parseJsonObject } from '../util/jsonObject.ts'
import type { AnnounceEvent } from './announceQuery.ts'
import { MAX_SCRAPE } from './trackerServerOptions.ts'

/** Longest description passed on, characters. Real ones have 500 to 3000. */
export const MAX_SDP_LENGTH = 16 * 1024
/** Offers looked at in one announce; libtorrent makes ten, WebTorrent five. */
export const MAX_OFFERS = 50
/** Largest message taken, bytes: fifty offers of everyday length. */
export const MAX_WEB_REQUEST_BYTES = 256 * 1024

/** A connection that is offered. 20-byte values are texts of one character per byte, here and below. */
export interface WebOffer {
  readonly offerId: string
  readonly sdp: string
}

/**
 * What a client of a WebSocket tracker says (WebTorrent; there is no BEP). An announce with an answer is an answer and
 * nothing else.
 */
export type WebRequest =
  | {
      readonly kind: 'announce'
      readonly infoHash: string
      readonly peerId: string
      readonly event: AnnounceEvent
      readonly isSeed: boolean
      readonly offers: readonly WebOffer[]
    }
  | {
      readonly kind: 'answer'
      readonly infoHash: string
      readonly peerId: string
      readonly toPeerId: string
      readonly offerId: string
      readonly sdp: string
    }
  | { readonly kind: 'scrape'; readonly infoHashes: readonly string[] }
  /** `why` in words for its sender; what it was about, as far as that can be told. */
  | { readonly kind: 'wrong'; readonly why: string; readonly about: WebSubject }

/** What a reply is about. WebTorrent takes one without `action` for a broken tracker, and gives up its connection. */
export interface WebSubject {
  readonly action?: 'announce' | 'scrape'
  readonly info_hash?: string
}

const EVENTS: readonly unknown[] = ['started', 'completed', 'stopped'] satisfies AnnounceEvent[]

/** Takes a message apart; null when it is no request of any kind. */
export function readWebRequest(text: string): WebRequest | null {
  const message = parseJsonObject(text)
  if (message === null) return null
  if (message.action === 'announce') return announce(message)
  return message.action === 'scrape' ? scrape(message) : null
}

function announce(message: JsonObject): WebRequest {
  const infoHash = binary20(message.info_hash)
  const peerId = binary20(message.peer_id)
  // WebTorrent cannot stand an announce that is answered without an info-hash.
  if (infoHash === null) return wrong('an info_hash has 20 bytes', {})
  if (peerId === null) return wrong('a peer_id has 20 bytes', { action: 'announce', info_hash: infoHash })
  if (message.answer !== undefined) return answer(message, infoHash, peerId)
  const { event, left } = message
  return {
    kind: 'announce',
    infoHash,
    peerId,
    event: EVENTS.includes(event) ? (event as AnnounceEvent) : 'none',
    isSeed: left === 0 || left === '0',
    offers: offersOf(message),
  }
}

function answer(message: JsonObject, infoHash: string, peerId: string): WebRequest {
  const toPeerId = binary20(message.to_peer_id)
  const offerId = binary20(message.offer_id)
  const sdp = sdpOf(message.answer, 'answer')
  if (toPeerId === null || offerId === null || sdp === null) {
    return wrong('an answer has to_peer_id, offer_id and sdp', { action: 'announce', info_hash: infoHash })
  }
  return { kind: 'answer', infoHash, peerId, toPeerId, offerId, sdp }
}

/** Those that are well formed, as many as are wanted to be passed on (`numwant`; without it all). */
function offersOf({ offers, numwant }: JsonObject): WebOffer[] {
  if (!Array.isArray(offers)) return []
  const wanted = typeof numwant === 'number' && numwant >= 0 ? numwant : MAX_OFFERS
  const found: WebOffer[] = []
  for (const each of offers.slice(0, MAX_OFFERS) as unknown[]) {
    if (found.length >= wanted) break
    if (!isJsonObject(each)) continue
    const offerId = binary20(each.offer_id)
    const sdp = sdpOf(each.offer, 'offer')
    if (offerId !== null && sdp !== null) found.push({ offerId, sdp })
  }
  return found
}

function scrape({ info_hash: asked }: JsonObject): WebRequest {
  const all: unknown[] = Array.isArray(asked) ? asked.slice(0, MAX_SCRAPE) : [asked]
  const infoHashes = all.map(binary20).filter((hash) => hash !== null)
  if (infoHashes.length === 0) {
    return wrong('a scrape needs info_hash: not all torrents are told at once', { action: 'scrape' })
  }
  return { kind: 'scrape', infoHashes }
}

/** Of a description only this is passed on: what else there may be is nobody's business. */
function sdpOf(description: unknown, type: 'offer' | 'answer'): string | null {
  if (!isJsonObject(description) || description.type !== type) return null
  const { sdp } = description
  return typeof sdp === 'string' && sdp.length <= MAX_SDP_LENGTH ? sdp : null
}

function wrong(why: string, about: WebSubject): WebRequest {
  return { kind: 'wrong', why, about }
}

/** What a request was about. */
export function subjectOf(request: WebRequest): WebSubject {
  if (request.kind === 'wrong') return request.about
  return request.kind === 'scrape' ? { action: 'scrape' } : { action: 'announce', info_hash: request.infoHash }
}
