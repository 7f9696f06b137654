import { addressToBytes } from '../address/addressBytes.ts'
import { COMPACT_V4_SIZE, COMPACT_V6_SIZE, decodeCompactEndpoints } from '../address/compactEndpoint.ts'
import type { Endpoint } from '../address/endpoint.ts'
import { fromLatin1, readU32, writeU16, writeU32 } from '../util/bytes.ts'
import { MAX_PEERS_PER_REPLY, type TrackerRequest } from './trackerRequest.ts'
import { trackerText } from './trackerText.ts'

/** What a UDP tracker packet is (BEP 15). */
export const UdpAction = { connect: 0, announce: 1, scrape: 2, error: 3 } as const
export type UdpAction = (typeof UdpAction)[keyof typeof UdpAction]

/** 8 opaque bytes with which a tracker knows that our address is not forged. */
export type ConnectionId = Uint8Array

/** Marks a connect request, in place of a connection id. */
export const UDP_PROTOCOL_ID = Uint8Array.of(0x00, 0x00, 0x04, 0x17, 0x27, 0x10, 0x19, 0x80)

const EVENT_CODES = { none: 0, completed: 1, started: 2, stopped: 3, paused: 0 } as const

export const UDP_CONNECT_SIZE = 16
export const UDP_ANNOUNCE_SIZE = 98
const SCRAPE_SIZE = 36

/** BEP 41: option 2 carries up to 255 bytes of the URL, and may be repeated. */
const URL_DATA_OPTION = 2
const URL_DATA_CHUNK = 255
/** Keeps the packet well inside what any path carries in one piece. */
const URL_DATA_LIMIT = 4 * URL_DATA_CHUNK

export function encodeUdpConnect(transactionId: number): Uint8Array {
  return header(UDP_CONNECT_SIZE, UDP_PROTOCOL_ID, UdpAction.connect, transactionId)
}

/**
 * An announce (BEP 15), with the tracker URL's path and query as options (BEP 41).
 * `announceIp` is sent if it is an IPv4 address; empty: the tracker takes the one it sees.
 */
export function encodeUdpAnnounce(
  connectionId: ConnectionId,
  transactionId: number,
  request: TrackerRequest,
  urlPath: string,
  announceIp: string,
): Uint8Array {
  const url = fromLatin1(urlPath.slice(0, URL_DATA_LIMIT))
  const options = Math.ceil(url.length / URL_DATA_CHUNK)
  const packet = header(UDP_ANNOUNCE_SIZE + options * 2 + url.length, connectionId, UdpAction.announce, transactionId)
  packet.set(request.infoHash, 16)
  packet.set(request.peerId, 36)
  writeU64(packet, 56, request.downloaded)
  writeU64(packet, 64, request.left)
  writeU64(packet, 72, request.uploaded)
  writeU32(packet, 80, EVENT_CODES[request.event])
  const ip = announceIp.includes(':') ? null : addressToBytes(announceIp)
  if (ip !== null) packet.set(ip, 84)
  writeU32(packet, 88, request.key)
  writeU32(packet, 92, request.numWant)
  writeU16(packet, 96, request.port)
  let at = UDP_ANNOUNCE_SIZE
  for (let from = 0; from < url.length; from += URL_DATA_CHUNK) {
    const chunk = url.subarray(from, from + URL_DATA_CHUNK)
    packet[at] = URL_DATA_OPTION
    packet[at + 1] = chunk.length
    packet.set(chunk, at + 2)
    at += 2 + chunk.length
  }
  return packet
}

/** A scrape of one torrent. */
export function encodeUdpScrape(connectionId: ConnectionId, transactionId: number, infoHash: Uint8Array): Uint8Array {
  const packet = header(SCRAPE_SIZE, connectionId, UdpAction.scrape, transactionId)
  packet.set(infoHash, 16)
  return packet
}

/** A tracker's packet; `malformed` has the right kind and transaction but not a length it can have. */
export type UdpResponse =
  | { readonly kind: 'connect'; readonly transactionId: number; readonly connectionId: ConnectionId }
  | {
      readonly kind: 'announce'
      readonly transactionId: number
      readonly interval: number
      readonly incomplete: number
      readonly complete: number
      readonly peers: readonly Endpoint[]
    }
  | {
      readonly kind: 'scrape'
      readonly transactionId: number
      readonly complete: number
      readonly downloaded: number
      readonly incomplete: number
    }
  | { readonly kind: 'error'; readonly transactionId: number; readonly message: string }
  | { readonly kind: 'malformed'; readonly transactionId: number; readonly action: UdpAction }

/**
 * Decodes a packet from a tracker at an IPv6 (`v6`) or IPv4 address, which decides the size of its peers.
 * Null for what is no tracker's packet at all. Keeps nothing of `packet`.
 */
export function decodeUdpResponse(packet: Uint8Array, v6: boolean): UdpResponse | null {
  if (packet.length < 8) return null
  const action = readU32(packet, 0)
  const transactionId = readU32(packet, 4)
  switch (action) {
    case UdpAction.connect:
      if (packet.length < 16) return { kind: 'malformed', transactionId, action }
      return { kind: 'connect', transactionId, connectionId: Uint8Array.from(packet.subarray(8, 16)) }
    case UdpAction.announce: {
      if (packet.length < 20) return { kind: 'malformed', transactionId, action }
      const peers = decodeCompactEndpoints(
        packet.subarray(20),
        v6 ? COMPACT_V6_SIZE : COMPACT_V4_SIZE,
        MAX_PEERS_PER_REPLY,
      )
      if (peers === null) return { kind: 'malformed', transactionId, action }
      return {
        kind: 'announce',
        transactionId,
        interval: readI32(packet, 8),
        incomplete: readCount(packet, 12),
        complete: readCount(packet, 16),
        peers: peers.filter((peer) => peer.port !== 0),
      }
    }
    case UdpAction.scrape:
      if (packet.length < 20) return { kind: 'malformed', transactionId, action }
      return {
        kind: 'scrape',
        transactionId,
        complete: readCount(packet, 8),
        downloaded: readCount(packet, 12),
        incomplete: readCount(packet, 16),
      }
    case UdpAction.error:
      return { kind: 'error', transactionId, message: trackerText(packet.subarray(8)) }
    default:
      return null
  }
}

function header(size: number, connectionId: ConnectionId, action: UdpAction, transactionId: number): Uint8Array {
  const packet = new Uint8Array(size)
  packet.set(connectionId, 0)
  writeU32(packet, 8, action)
  writeU32(packet, 12, transactionId)
  return packet
}

function writeU64(bytes: Uint8Array, offset: number, value: number): void {
  writeU32(bytes, offset, Math.floor(value / 0x1_0000_0000))
  writeU32(bytes, offset + 4, value >>> 0)
}

function readI32(bytes: Uint8Array, offset: number): number {
  return readU32(bytes, offset) | 0
}

function readCount(bytes: Uint8Array, offset: number): number {
  return Math.max(-1, readI32(bytes, offset))
}
