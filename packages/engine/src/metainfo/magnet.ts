import { normalizeAddress } from '../address/addressBytes.ts'
import { type Endpoint, endpointText } from '../address/endpoint.ts'
import { type LibtorrentError, libtorrentError } from '../errors/libtorrentError.ts'
import { fromBase32 } from '../util/base32.ts'
import { fromHex } from '../util/bytes.ts'
import { Sha1Hash, Sha256Hash } from '../util/digest.ts'
import { type MutableTorrent, mutableTorrentParts, readMutableTorrent } from './mutableTorrent.ts'
import { verifiedText } from './textEncoding.ts'
import { MAX_TIER, type NodeAddress, TrackerSource, type TrackerUrl } from './trackerUrl.ts'
import { encodedUrl, escapeUrlText, trackerUrlText, unescapeUrlBytes, wellFormed } from './urlText.ts'

/** File indices from `first` to `last`, both included. */
export interface FileRange {
  readonly first: number
  readonly last: number
}

/** What a magnet link says (BEP 9, 46, 53; manual, magnet links). At least a hash or `mutableTorrent` is there. */
export interface MagnetParams {
  /** `xt=urn:btih`; null for a link to a v2-only torrent, or to a mutable one. */
  readonly infoHash: Sha1Hash | null
  /** `xt=urn:btmh`, SHA-256; null when absent. */
  readonly infoHashV2: Sha256Hash | null
  /** `xs=urn:btpk` and `s`: the DHT tells which torrent it is now (BEP 46); null when absent. */
  readonly mutableTorrent: MutableTorrent | null
  /** `dn`, to be shown until the metadata tells the real name; empty when absent. Not made safe for a file system. */
  readonly name: string
  /** `tr`: each on a tier of its own, in the order of the link. */
  readonly trackers: readonly TrackerUrl[]
  /** `ws` (BEP 19). */
  readonly urlSeeds: readonly string[]
  /** `x.pe`: peers to connect to. */
  readonly peers: readonly Endpoint[]
  /** `dht`: nodes to start from. */
  readonly dhtNodes: readonly NodeAddress[]
  /** `so`: the only files wanted (BEP 53), sorted and without overlaps; null for all. */
  readonly selectOnly: readonly FileRange[] | null
}

/** Longest link that is read. */
const MAX_LINK_LENGTH = 2 ** 20
/** Trackers, web seeds, peers, nodes and ranges taken from a link, of each kind; the rest is left out. */
const MAX_ITEMS = 1000
/** Characters of the name that are kept. */
const MAX_NAME_LENGTH = 1024
/** Highest file index; what lies above is ignored. */
const MAX_FILE_INDEX = 2 ** 31 - 1

const PREFIX = 'magnet:?'

/**
 * Reads a magnet link; never throws, linear in its length. Unknown parameters are passed over, and so are parts that
 * make no sense, except the info-hash. Nothing is ever fetched from addresses in `xs`, `as` or elsewhere in it.
 * Errors: `unsupportedUrlProtocol` for other text, `urlParseError` for one longer than 1 MiB, `invalidInfoHash` for a
 * malformed hash, `missingInfoHashInUri` for a link without one and without the key of a mutable torrent.
 */
export function parseMagnetUri(text: string): MagnetParams | LibtorrentError {
  if (text.slice(0, PREFIX.length).toLowerCase() !== PREFIX) return libtorrentError('unsupportedUrlProtocol')
  if (text.length > MAX_LINK_LENGTH) return libtorrentError('urlParseError')

  let infoHash: Sha1Hash | null = null
  let infoHashV2: Sha256Hash | null = null
  let source = ''
  let salt = ''
  let name = ''
  let ranges: FileRange[] | null = null
  const trackers = new Map<string, TrackerUrl>()
  const urlSeeds = new Set<string>()
  const peers = new Map<string, Endpoint>()
  const dhtNodes: NodeAddress[] = []

  for (let at = PREFIX.length; at < text.length; ) {
    let end = text.indexOf('&', at)
    if (end < 0) end = text.length
    const equals = text.indexOf('=', at)
    const hasValue = equals >= 0 && equals < end
    const key = hasValue ? text.slice(at, equals).toLowerCase() : ''
    const bytes = hasValue ? unescapeUrlBytes(text.slice(equals + 1, end)) : null
    at = end + 1
    if (bytes === null) continue

    // tr.1, xt.2 and so on only number the parameters
    switch (key.replace(/\.\d*$/, '')) {
      case 'xt': {
        const topic = verifiedText(bytes)
        if (/^urn:btih:/i.test(topic)) {
          infoHash = readV1Hash(topic.slice(9))
          if (infoHash === null) return libtorrentError('invalidInfoHash')
        } else if (/^urn:btmh:/i.test(topic)) {
          infoHashV2 = readV2Hash(topic.slice(9))
          if (infoHashV2 === null) return libtorrentError('invalidInfoHash')
        }
        break
      }
      case 'xs': {
        // Others are addresses to fetch something from, which is not done.
        const text = verifiedText(bytes)
        if (source === '' && /^urn:btpk:/i.test(text)) source = text
        break
      }
      case 's':
        salt = verifiedText(bytes)
        break
      case 'dn':
        name = wellFormed(verifiedText(bytes).slice(0, MAX_NAME_LENGTH))
        break
      case 'tr': {
        const url = trackerUrlText(bytes)
        if (url === '' || trackers.has(url) || trackers.size >= MAX_ITEMS) break
        trackers.set(url, { url, tier: Math.min(trackers.size, MAX_TIER), source: TrackerSource.magnetLink })
        break
      }
      case 'ws':
        if (bytes.length > 0 && urlSeeds.size < MAX_ITEMS) urlSeeds.add(encodedUrl(bytes))
        break
      case 'x.pe': {
        const node = readHostAndPort(verifiedText(bytes))
        const address = node && normalizeAddress(node.host)
        if (!node || !address || peers.size >= MAX_ITEMS) break
        const peer = { address, port: node.port }
        peers.set(endpointText(peer), peer)
        break
      }
      case 'dht': {
        const node = readHostAndPort(verifiedText(bytes))
        if (node && dhtNodes.length < MAX_ITEMS) dhtNodes.push(node)
        break
      }
      case 'so':
        ranges = readRanges(verifiedText(bytes), ranges ?? [])
        break
    }
  }

  const mutableTorrent = readMutableTorrent(source, salt)
  if (infoHash === null && infoHashV2 === null && mutableTorrent === null) {
    return libtorrentError('missingInfoHashInUri')
  }
  return {
    infoHash,
    infoHashV2,
    mutableTorrent,
    name,
    trackers: [...trackers.values()],
    urlSeeds: [...urlSeeds],
    peers: [...peers.values()],
    dhtNodes,
    selectOnly: ranges && mergedRanges(ranges),
  }
}

/** What a magnet link is made from: a `TorrentInfo`, `MagnetParams`, or any part of them with a hash or key. */
export interface MagnetSource {
  readonly infoHash: Sha1Hash | null
  readonly infoHashV2?: Sha256Hash | null
  readonly mutableTorrent?: MutableTorrent | null
  readonly name?: string
  readonly trackers?: readonly { readonly url: string }[]
  readonly urlSeeds?: readonly string[]
  readonly peers?: readonly Endpoint[]
  readonly dhtNodes?: readonly NodeAddress[]
  readonly selectOnly?: readonly FileRange[] | null
}

/** The magnet link of a torrent (manual, `make_magnet_uri()`); empty when it has neither info-hash nor key (BEP 46). */
export function makeMagnetUri(torrent: MagnetSource): string {
  const parts: string[] = []
  if (torrent.infoHash !== null) parts.push(`xt=urn:btih:${torrent.infoHash}`)
  if (torrent.infoHashV2) parts.push(`xt=urn:btmh:1220${torrent.infoHashV2}`)
  if (torrent.mutableTorrent) parts.push(...mutableTorrentParts(torrent.mutableTorrent))
  if (parts.length === 0) return ''
  if (torrent.name) parts.push(`dn=${escapeUrlText(torrent.name)}`)
  for (const { url } of torrent.trackers ?? []) parts.push(`tr=${escapeUrlText(url)}`)
  for (const url of torrent.urlSeeds ?? []) parts.push(`ws=${escapeUrlText(url)}`)
  for (const { host, port } of torrent.dhtNodes ?? []) {
    parts.push(`dht=${escapeUrlText(host.includes(':') ? `[${host}]` : host)}:${port}`)
  }
  for (const peer of torrent.peers ?? []) parts.push(`x.pe=${endpointText(peer)}`)
  if (torrent.selectOnly) {
    const ranges = torrent.selectOnly.map(({ first, last }) => (first === last ? `${first}` : `${first}-${last}`))
    parts.push(`so=${ranges.join(',')}`)
  }
  return PREFIX + parts.join('&')
}

/** For each of `numFiles` files whether `selectOnly` wants it; null wants all. */
export function selectedFiles(selectOnly: readonly FileRange[] | null, numFiles: number): boolean[] {
  const selected = new Array<boolean>(numFiles).fill(selectOnly === null)
  for (const { first, last } of selectOnly ?? []) selected.fill(true, first, Math.min(last + 1, numFiles))
  return selected
}

function readV1Hash(text: string): Sha1Hash | null {
  const bytes = text.length === 40 ? fromHex(text) : text.length === 32 ? fromBase32(text) : null
  return bytes !== null && bytes.length === Sha1Hash.size ? new Sha1Hash(bytes) : null
}

/** A multihash: 12 for SHA-256, 20 for 32 bytes, then the hash, all hexadecimal. */
function readV2Hash(text: string): Sha256Hash | null {
  const bytes = text.startsWith('1220') ? fromHex(text.slice(4)) : null
  return bytes !== null && bytes.length === Sha256Hash.size ? new Sha256Hash(bytes) : null
}

/** `host:port`, an IPv6 host in brackets. */
function readHostAndPort(text: string): NodeAddress | null {
  const match = text.length > 300 ? null : /^(?:\[([^\]]+)\]|([^[\]:\s]+)):(\d{1,5})$/.exec(text)
  if (match === null) return null
  const port = Number(match[3])
  return port > 0 && port <= 0xffff ? { host: match[1] ?? match[2], port } : null
}

/** Adds what `0,2-5` names to `ranges`; text with anything else in it names nothing. */
function readRanges(text: string, ranges: FileRange[]): FileRange[] {
  if (!/^[\d,-]*$/.test(text)) return ranges
  for (const item of text.split(',', MAX_ITEMS)) {
    const match = /^(\d{1,10})(?:-(\d{1,10}))?$/.exec(item)
    if (match === null || ranges.length >= MAX_ITEMS) continue
    const first = Number(match[1])
    const last = Math.min(Number(match[2] ?? match[1]), MAX_FILE_INDEX)
    if (first <= last) ranges.push({ first, last })
  }
  return ranges
}

function mergedRanges(ranges: FileRange[]): FileRange[] {
  const merged: { first: number; last: number }[] = []
  for (const { first, last } of ranges.sort((a, b) => a.first - b.first)) {
    const previous = merged.at(-1)
    if (previous !== undefined && first <= previous.last + 1) previous.last = Math.max(previous.last, last)
    else merged.push({ first, last })
  }
  return merged
}
