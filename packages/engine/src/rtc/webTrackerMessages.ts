import type { AnnounceReply, ScrapeReply, TrackerRequest } from '../tracker/trackerRequest.ts'
import { binary20, latin1 } from '../util/bytes.ts'
import { isJsonObject, type JsonObject, parseJsonObject } from '../util/jsonObject.ts'

/**
 * What WebSocket trackers and their clients say to each other (WebTorrent; there is no BEP): JSON, in which 20-byte
 * values are texts of 20 characters, one for each byte. Offers and answers are SDP (RFC 8866) in an object with its type.
 */

/** Longest description taken, characters (libtorrent). Real ones have 500 to 3000. */
export const MAX_SDP_LENGTH = 64 * 1024
/** Longest message taken, bytes (libtorrent). */
export const MAX_MESSAGE_BYTES = 2 * MAX_SDP_LENGTH

/** A connection we offer. */
export interface RtcOffer {
  /** 20 bytes, one character each. */
  readonly offerId: string
  readonly sdp: string
}

/** One side's description of a connection, as the tracker passed it on. All but `sdp` is one character a byte. */
interface Introduction {
  readonly infoHash: string
  readonly offerId: string
  /** Whose it is. */
  readonly peerId: string
  readonly sdp: string
}

export type WebTrackerMessage =
  | (Introduction & { readonly kind: 'offer' | 'answer' })
  | { readonly kind: 'reply'; readonly infoHash: string; readonly reply: AnnounceReply }
  /** `infoHash` is null when it does not say what failed. */
  | { readonly kind: 'failure'; readonly infoHash: string | null; readonly message: string }
  | { readonly kind: 'scrape'; readonly files: ReadonlyMap<string, ScrapeReply> }

/** The text of an announce. */
export function announceText(request: TrackerRequest, offers: readonly RtcOffer[]): string {
  const { event, trackerId } = request
  return JSON.stringify({
    action: 'announce',
    info_hash: latin1(request.infoHash),
    peer_id: latin1(request.peerId),
    uploaded: request.uploaded,
    downloaded: request.downloaded,
    left: request.left,
    corrupt: request.corrupt,
    key: request.key.toString(16).toUpperCase().padStart(8, '0'),
    event: event === 'none' ? undefined : event,
    trackerid: trackerId === '' ? undefined : trackerId,
    numwant: offers.length,
    offers: offers.map(({ offerId, sdp }) => ({ offer_id: offerId, offer: { type: 'offer', sdp } })),
  })
}

/** The text of our answer to an offer. */
export function answerText(offer: Omit<Introduction, 'sdp'>, ourPeerId: Uint8Array, sdp: string): string {
  return JSON.stringify({
    action: 'announce',
    info_hash: offer.infoHash,
    peer_id: latin1(ourPeerId),
    to_peer_id: offer.peerId,
    offer_id: offer.offerId,
    answer: { type: 'answer', sdp },
  })
}

/** The text that asks for the counts of a swarm. */
export function scrapeText(infoHash: Uint8Array): string {
  return JSON.stringify({ action: 'scrape', info_hash: latin1(infoHash) })
}

/** Takes a message apart; null when it is none. Of what is unknown, missing or of the wrong type nothing is believed. */
export function decodeWebTrackerMessage(text: string): WebTrackerMessage | null {
  const message = parseJsonObject(text)
  if (message === null) return null
  const infoHash = binary20(message.info_hash)
  const failure = message['failure reason']
  if (typeof failure === 'string') return { kind: 'failure', infoHash, message: failure.slice(0, MAX_WORDS) }
  if (isJsonObject(message.offer)) return introduction('offer', message, infoHash)
  if (isJsonObject(message.answer)) return introduction('answer', message, infoHash)
  if (message.action === 'scrape' || (infoHash === null && isJsonObject(message.files))) return scrape(message.files)
  if (infoHash === null) return null
  return { kind: 'reply', infoHash, reply: replyOf(message) }
}

/** As much of a tracker's words as is kept. */
const MAX_WORDS = 1000
/** Of a scrape: we ask for one. */
const MAX_SCRAPED = 100

function introduction(
  kind: 'offer' | 'answer',
  message: JsonObject,
  infoHash: string | null,
): WebTrackerMessage | null {
  const offerId = binary20(message.offer_id)
  const peerId = binary20(message.peer_id)
  const { sdp } = message[kind] as JsonObject
  if (infoHash === null || offerId === null || peerId === null) return null
  if (typeof sdp !== 'string' || sdp.length > MAX_SDP_LENGTH) return null
  return { kind, infoHash, offerId, peerId, sdp }
}

function replyOf(message: JsonObject): AnnounceReply {
  const interval = count(message.interval)
  const minInterval = Math.max(count(message.min_interval), count(message['min interval']))
  return {
    kind: 'reply',
    // libtorrent's, for trackers that do not say.
    interval: interval < 0 ? DEFAULT_INTERVAL_SECONDS : interval,
    minInterval: Math.max(0, minInterval),
    trackerId: words(message['tracker id']),
    warning: words(message['warning message']),
    complete: count(message.complete),
    incomplete: count(message.incomplete),
    downloaded: count(message.downloaded),
    downloaders: -1,
    peers: [],
    namedPeers: [],
    externalAddress: '',
    trackerAddress: '',
  }
}

const DEFAULT_INTERVAL_SECONDS = 120

function scrape(files: unknown): WebTrackerMessage | null {
  if (!isJsonObject(files)) return null
  const counts = new Map<string, ScrapeReply>()
  for (const [infoHash, file] of Object.entries(files).slice(0, MAX_SCRAPED)) {
    if (binary20(infoHash) === null || !isJsonObject(file)) continue
    counts.set(infoHash, {
      kind: 'scrape',
      complete: count(file.complete),
      incomplete: count(file.incomplete),
      downloaded: count(file.downloaded),
      downloaders: -1,
    })
  }
  return { kind: 'scrape', files: counts }
}

/** A whole number from 0 up; -1 for anything else. */
function count(value: unknown): number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 ? value : -1
}

function words(value: unknown): string {
  return typeof value === 'string' ? value.slice(0, MAX_WORDS) : ''
}
