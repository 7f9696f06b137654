import { addressToBytes } from '../src/address/addressBytes.ts'
import { encodeCompactEndpoint } from '../src/address/compactEndpoint.ts'
import type { Endpoint } from '../src/address/endpoint.ts'
import { bencode } from '../src/bencode/bencode.ts'
import type { Entry, EntryObject } from '../src/bencode/entry.ts'
import { concatBytes, fromLatin1, latin1 } from '../src/util/bytes.ts'
import type { AnnounceEvent, AnnounceRequest, ScriptedReply, SimTracker } from './simTracker.ts'
import type { WebReply, WebRequest } from './simWeb.ts'

/** Answers one HTTP request in the tracker's name (BEP 3, 7, 23, 24, 31, 48). */
export function answerHttpTracker(tracker: SimTracker, request: WebRequest): WebReply {
  const parameters = parseQuery(request.query)
  if (request.path.includes('scrape')) return answerScrape(tracker, parameters)
  const announce = readAnnounce(parameters, request.from)
  if (announce === null) {
    tracker.refusedQueries.push(request.query)
    return { body: bencode({ 'failure reason': 'missing or wrong parameters' }) }
  }
  const answer = tracker.announce(announce, 'http')
  if (answer === 'timeout' || answer === 'refuse') return answer
  if (answer === 'fail') return { body: bencode({ 'failure reason': 'scripted failure' }) }
  const scripted: ScriptedReply = answer === 'ok' ? {} : answer
  const compact = announce.parameters.compact !== '0'
  return {
    status: scripted.status,
    headers: scripted.headers,
    delay: scripted.delay,
    body: scripted.raw ?? bencode(announceBody(tracker, announce, scripted, compact)),
  }
}

function announceBody(
  tracker: SimTracker,
  request: AnnounceRequest,
  scripted: ScriptedReply,
  compact: boolean,
): EntryObject {
  if (scripted.failureReason !== undefined) {
    return { 'failure reason': scripted.failureReason, 'retry in': scripted.retryIn }
  }
  const v4 = scripted.peers?.filter((peer) => !peer.address.includes(':')) ?? tracker.choosePeers(request, 'v4')
  const v6 = scripted.peers?.filter((peer) => peer.address.includes(':')) ?? tracker.choosePeers(request, 'v6')
  const counts = tracker.countsOf(request.infoHash)
  const seen = scripted.externalAddress ?? (tracker.seesAddresses ? request.peer.address : undefined)
  const external = seen === undefined ? null : addressToBytes(seen)
  return {
    interval: scripted.interval ?? tracker.interval,
    'min interval': scripted.minInterval ?? tracker.minInterval,
    complete: counts.seeds,
    incomplete: counts.downloaders,
    downloaded: counts.completed,
    peers: compact ? compactPeers(v4) : peerDictionaries([...v4, ...v6]),
    peers6: compact && v6.length > 0 ? compactPeers(v6) : undefined,
    'warning message': scripted.warning,
    'tracker id': scripted.trackerId,
    'external ip': external ?? undefined,
  }
}

function answerScrape(tracker: SimTracker, parameters: Parameters): WebReply {
  if (tracker.isDown) return 'timeout'
  const hashes = (parameters.get('info_hash') ?? []).map(fromLatin1)
  tracker.scraped(hashes)
  const files = new Map<string, Entry>()
  for (const hash of hashes) {
    if (!tracker.knows(hash)) continue
    const { seeds, downloaders, completed } = tracker.countsOf(hash)
    files.set(latin1(hash), { complete: seeds, incomplete: downloaders, downloaded: completed })
  }
  return { body: bencode({ files }) }
}

/** Decoded values by name, as Latin-1; a name may come several times. */
type Parameters = ReadonlyMap<string, readonly string[]>

function parseQuery(query: string): Parameters {
  const parameters = new Map<string, string[]>()
  for (const part of query.split('&')) {
    if (part === '') continue
    const cut = part.indexOf('=')
    const name = cut < 0 ? part : part.slice(0, cut)
    const value = cut < 0 ? '' : percentDecode(part.slice(cut + 1))
    const values = parameters.get(name)
    if (values === undefined) parameters.set(name, [value])
    else values.push(value)
  }
  return parameters
}

function percentDecode(text: string): string {
  return text.replace(/%([0-9a-fA-F]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))
}

function readAnnounce(parameters: Parameters, from: string): AnnounceRequest | null {
  const text = (name: string) => parameters.get(name)?.[0] ?? ''
  const infoHash = fromLatin1(text('info_hash'))
  const peerId = fromLatin1(text('peer_id'))
  const port = Number(text('port'))
  if (infoHash.length !== 20 || peerId.length !== 20 || !(port > 0 && port < 65_536)) return null
  return {
    infoHash,
    peerId,
    peer: { address: from, port },
    event: (text('event') || 'none') as AnnounceEvent,
    uploaded: Number(text('uploaded')),
    downloaded: Number(text('downloaded')),
    left: Number(text('left')),
    numWant: text('numwant') === '' ? -1 : Number(text('numwant')),
    key: Number.parseInt(text('key') || '0', 16),
    parameters: Object.fromEntries([...parameters].map(([name, values]) => [name, values[0]])),
  }
}

function compactPeers(peers: readonly Endpoint[]): Uint8Array {
  return concatBytes(...peers.map(encodeCompactEndpoint))
}

function peerDictionaries(peers: readonly Endpoint[]): readonly Entry[] {
  return peers.map((peer) => ({ ip: peer.address, port: peer.port }))
}
