import { bytesToAddress, normalizeAddress } from '../address/addressBytes.ts'
import { COMPACT_V4_SIZE, COMPACT_V6_SIZE, decodeCompactEndpoints } from '../address/compactEndpoint.ts'
import { I2P_PORT, i2pAddressOf, normalizeI2pAddress } from '../address/i2pAddress.ts'
import { bdecode } from '../bencode/bdecode.ts'
import type { BNode } from '../bencode/bNode.ts'
import { type LibtorrentErrorCode, libtorrentError } from '../errors/libtorrentError.ts'
import { addressOfDestination } from '../i2p/destination.ts'
import { latin1 } from '../util/bytes.ts'
import type { Seconds } from '../util/flavored.ts'
import {
  type AnnounceReply,
  MAX_PEERS_PER_REPLY,
  type SwarmCounts,
  type TrackerFailure,
  type TrackerPeer,
  trackerFailure,
} from './trackerRequest.ts'
import { trackerText } from './trackerText.ts'

/** An answer has a handful of levels and, in its longest form, five tokens a peer. */
const BENCODE_LIMITS = { depth: 10, tokens: 200_000 } as const
/** Each costs a name lookup. */
const MAX_NAMED_PEERS = 30
/** The hash of a destination. */
const COMPACT_I2P_SIZE = 32
const MAX_TRACKER_ID_BYTES = 512
const MAX_COUNT = 0x7fff_ffff

/** For trackers that name none. */
const DEFAULT_INTERVAL: Seconds = 1800
const DEFAULT_MIN_INTERVAL: Seconds = 30

/**
 * Decodes the body of an HTTP tracker's answer to an announce (BEP 3, 7, 21, 23, 24, 31). Never throws.
 * @param isI2p the tracker is in I2P: it names peers that are there, and no others are taken from it.
 */
export function decodeAnnounceReply(body: Uint8Array, isI2p = false): AnnounceReply | TrackerFailure {
  const root = decodeRoot(body)
  if (root === null) return failure('invalidTrackerResponse')
  const refused = decodeFailure(root)
  if (refused !== null) return refused

  const peers: TrackerPeer[] = []
  const namedPeers: TrackerPeer[] = []
  const code = isI2p ? readI2pPeers(root, peers) : readPeers(root, peers, namedPeers)
  if (code !== null) return failure(code)

  const trackerId = root.getString('tracker id')
  const externalIp = isI2p ? null : root.getString('external ip')
  const warning = root.getString('warning message')
  return {
    kind: 'reply',
    interval: root.getInt('interval') ?? DEFAULT_INTERVAL,
    minInterval: root.getInt('min interval') ?? DEFAULT_MIN_INTERVAL,
    trackerId: trackerId !== null && trackerId.length <= MAX_TRACKER_ID_BYTES ? latin1(trackerId) : '',
    warning: warning === null ? '' : trackerText(warning),
    ...readCounts(root),
    peers,
    namedPeers,
    externalAddress:
      externalIp !== null && (externalIp.length === 4 || externalIp.length === 16) ? bytesToAddress(externalIp) : '',
    trackerAddress: '',
  }
}

/** The top-level dict of an answer, or null. */
export function decodeRoot(body: Uint8Array): BNode | null {
  const decoded = bdecode(body, BENCODE_LIMITS)
  return decoded.ok && decoded.root.type === 'dict' ? decoded.root : null
}

/** The refusal an answer consists of, or null if it is none. BEP 31's `retry in` is in minutes, or "never". */
export function decodeFailure(root: BNode): TrackerFailure | null {
  const reason = root.getString('failure reason')
  if (reason === null) return null
  const retry = root.get('retry in')
  const never = retry?.asText() === 'never'
  const minutes = retry?.asInt() ?? Number(retry?.asText() ?? Number.NaN)
  const retryIn = Number.isFinite(minutes)
    ? minutes * 60
    : (root.getInt('interval') ?? root.getInt('min interval') ?? 0)
  return {
    kind: 'failure',
    error: libtorrentError('trackerFailure', { operation: 'tracker' }),
    message: trackerText(reason),
    retryIn: Math.max(0, retryIn),
    permanent: never,
  }
}

/** Counts of a scrape entry, or of an announce reply, which may have them too. */
export function readCounts(dict: BNode): SwarmCounts {
  return {
    complete: count(dict, 'complete'),
    incomplete: count(dict, 'incomplete'),
    downloaded: count(dict, 'downloaded'),
    downloaders: count(dict, 'downloaders'),
  }
}

/** Fills the lists; a code when the answer's peers are not to be understood. */
function readPeers(root: BNode, peers: TrackerPeer[], namedPeers: TrackerPeer[]): LibtorrentErrorCode | null {
  const entry = root.get('peers')
  const compact = entry?.asString() ?? null
  if (compact !== null) {
    const endpoints = decodeCompactEndpoints(compact, COMPACT_V4_SIZE, MAX_PEERS_PER_REPLY)
    if (endpoints === null) return 'invalidPeersEntry'
    for (const endpoint of endpoints) if (endpoint.port !== 0) peers.push(endpoint)
  } else if (entry?.type === 'list') {
    let understood = 0
    for (const item of entry) {
      const peer = readPeer(item)
      if (peer === null) continue
      understood++
      if (normalizeAddress(peer.address) !== null) peers.push(peer)
      else if (namedPeers.length < MAX_NAMED_PEERS) namedPeers.push(peer)
      if (peers.length >= MAX_PEERS_PER_REPLY) break
    }
    if (understood === 0 && entry.size > 0) return 'invalidPeerDict'
  }

  const compact6 = root.getString('peers6')
  if (compact6 !== null) {
    const endpoints = decodeCompactEndpoints(compact6, COMPACT_V6_SIZE, MAX_PEERS_PER_REPLY)
    if (endpoints === null) return 'invalidPeersEntry'
    for (const endpoint of endpoints) if (endpoint.port !== 0) peers.push(endpoint)
  }
  return null
}

/** The same for I2P: 32 bytes each, or, in the long form, a destination in full or by its base 32 name. */
function readI2pPeers(root: BNode, peers: TrackerPeer[]): LibtorrentErrorCode | null {
  const entry = root.get('peers')
  const compact = entry?.asString() ?? null
  if (compact !== null) {
    if (compact.length % COMPACT_I2P_SIZE !== 0) return 'invalidPeersEntry'
    for (let at = 0; at < compact.length && peers.length < MAX_PEERS_PER_REPLY; at += COMPACT_I2P_SIZE) {
      peers.push({ address: i2pAddressOf(compact.subarray(at, at + COMPACT_I2P_SIZE)), port: I2P_PORT })
    }
  } else if (entry?.type === 'list') {
    for (const item of entry) {
      const ip = item.getText('ip') ?? ''
      const address = normalizeI2pAddress(ip) ?? addressOfDestination(ip.replace(/\.i2p$/i, ''))
      if (address !== null) peers.push({ address, port: I2P_PORT })
      if (peers.length >= MAX_PEERS_PER_REPLY) break
    }
    if (peers.length === 0 && entry.size > 0) return 'invalidPeerDict'
  }
  return null
}

/** A peer in the long form of BEP 3; its `address` may be a host name. */
function readPeer(item: BNode): TrackerPeer | null {
  const ip = item.getText('ip')
  const port = item.getInt('port')
  if (ip === null || port === null || port < 1 || port > 65535) return null
  const address = normalizeAddress(ip)
  if (address === null && !/^[A-Za-z0-9][A-Za-z0-9._-]{0,253}$/.test(ip)) return null
  const peerId = item.getString('peer id')
  return {
    address: address ?? ip,
    port,
    ...(peerId !== null && peerId.length === 20 ? { peerId: Uint8Array.from(peerId) } : null),
  }
}

function count(dict: BNode, key: string): number {
  const value = dict.getInt(key) ?? -1
  return value < 0 ? -1 : Math.min(value, MAX_COUNT)
}

function failure(code: LibtorrentErrorCode): TrackerFailure {
  return trackerFailure(libtorrentError(code, { operation: 'tracker' }))
}
