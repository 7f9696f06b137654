import { endpointText } from '../address/endpoint.ts'
import { fromLatin1 } from '../util/bytes.ts'
import { Sha1Hash } from '../util/digest.ts'
import { headerOf, parseHttpuMessage } from '../util/httpuMessage.ts'

/** The groups of BEP 14, one for each address family. */
export const LSD_PORT = 6771
export const LSD_GROUP_V4 = '239.192.152.143'
export const LSD_GROUP_V6 = 'ff15::efc0:988f'

/** Told at once. BEP 14: a packet should not exceed 1400 bytes; 25 info-hashes of 52 bytes and up to 100 bytes around them. */
export const MAX_HASHES_SENT = 25
/** Info-hashes read from one packet: more do not fit into what is to be sent, with some tolerance. */
const MAX_HASHES_READ = 32
/** A packet of 64 kB has nothing to say that one of this size has not. */
const MAX_PACKET_BYTES = 2048

/** Somebody takes part in the swarms of these torrents, and listens at `port` of the address the packet came from. */
export interface LsdAnnounce {
  readonly port: number
  readonly infoHashes: readonly Sha1Hash[]
  /** As sent; null without one. */
  readonly cookie: string | null
}

/** @param group `LSD_GROUP_V4` or `LSD_GROUP_V6`: where it is sent to. */
export function encodeLsdAnnounce(
  group: string,
  port: number,
  infoHashes: readonly Sha1Hash[],
  cookie: string,
): Uint8Array {
  const host = endpointText({ address: group, port: LSD_PORT })
  const lines = infoHashes.map((infoHash) => `Infohash: ${infoHash.toHex()}\r\n`).join('')
  return fromLatin1(`BT-SEARCH * HTTP/1.1\r\nHost: ${host}\r\nPort: ${port}\r\n${lines}cookie: ${cookie}\r\n\r\n\r\n`)
}

/** Null when it is none, or tells no port and no info-hash that is one. */
export function decodeLsdAnnounce(packet: Uint8Array): LsdAnnounce | null {
  const message = parseHttpuMessage(packet, MAX_PACKET_BYTES)
  if (message === null || !/^BT-SEARCH\s/i.test(message.startLine)) return null
  const portText = headerOf(message, 'port') ?? ''
  const port = /^\d{1,5}$/.test(portText) ? Number(portText) : 0
  if (port === 0 || port > 65535) return null
  const infoHashes: Sha1Hash[] = []
  for (const [name, value] of message.headers) {
    if (name !== 'infohash' || !/^[0-9a-fA-F]{40}$/.test(value)) continue
    const infoHash = Sha1Hash.fromHex(value)
    if (!infoHash.isAllZeros() && infoHashes.length < MAX_HASHES_READ) infoHashes.push(infoHash)
  }
  return infoHashes.length === 0 ? null : { port, infoHashes, cookie: headerOf(message, 'cookie') }
}
