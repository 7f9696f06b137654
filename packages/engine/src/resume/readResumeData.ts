import { normalizeAddress } from '../address/addressBytes.ts'
import { COMPACT_V4_SIZE, COMPACT_V6_SIZE, decodeCompactEndpoint } from '../address/compactEndpoint.ts'
import { bdecode } from '../bencode/bdecode.ts'
import type { BNode } from '../bencode/bNode.ts'
import { bdecodeError } from '../bencode/entry.ts'
import { sha1, sha256 } from '../crypto/sha1.ts'
import { MAX_ITEM_BYTES, MAX_SEQUENCE_NUMBER } from '../dht/mutableItem.ts'
import { type LibtorrentError, type LibtorrentErrorCode, libtorrentError } from '../errors/libtorrentError.ts'
import { mutableTorrentOf } from '../metainfo/mutableTorrent.ts'
import { Bitfield } from '../util/bitfield.ts'
import { Sha1Hash, Sha256Hash } from '../util/digest.ts'
import {
  emptyResumeState,
  libtorrentSeries,
  MODERN_SERIES,
  PIECE_HAVE,
  PIECE_VERIFIED,
  RESUME_FILE_FORMAT,
  RESUME_FLAGS,
  RESUME_NUMBERS,
  RESUME_TEXTS,
  type ResumeAllocation,
  type ResumeFileSize,
  type ResumePeer,
  type ResumeState,
  type UnfinishedPiece,
} from './resumeState.ts'

/** How much resume data may ask of us: libtorrent's `load_torrent_limits`. */
export interface ResumeLimits {
  /** Bytes; default 100,000,000, as the info dictionary may be in it. More gives `parseFailed`. */
  readonly maxBufferSize?: number
  /** Default 2,097,152. More gives `tooManyPiecesInTorrent`. */
  readonly maxPieces?: number
  /** Lists and dicts inside each other; default 100. */
  readonly maxDecodeDepth?: number
  /** Bencoded values; default 3,000,000. */
  readonly maxDecodeTokens?: number
  /** Trackers, and web seeds of each kind; default 1000. The rest is left out. */
  readonly maxUrls?: number
  /** Peers of each list (IPv4 and IPv6, to connect to and banned); default 3000. The rest is left out. */
  readonly maxPeers?: number
}

const DEFAULT_MAX_BUFFER_SIZE = 100_000_000
const DEFAULT_MAX_PIECES = 0x200000
const DEFAULT_MAX_URLS = 1000
/** As many as a torrent remembers (setting `max_peerlist_size`). */
const DEFAULT_MAX_PEERS = 3000

const SIGNATURE_BYTES = 64

/** The highest priority; higher ones count as this. */
const TOP_PRIORITY = 7

/** How a running torrent of libtorrent 2, with fields of 24 bits, saves that it has no limit or does not know. */
const UNKNOWN_24_BITS = 0xffffff

/** Mutable while it is being read. */
type Draft = { -readonly [Field in keyof ResumeState]: ResumeState[Field] }

/**
 * Reads resume data of ours, of libtorrent 0.13 to 2, or of anybody. Never throws. What can be left out and is wrong
 * is left out; whether the rest fits the torrent and the disk is for `checkResume` to say.
 *
 * Errors: `parseFailed` (not bencoded; the cause tells where), `notADictionary`, `invalidFileTag` (another format, or
 * a version from the future), `missingInfoHash`, `tooManyPiecesInTorrent`.
 */
export function readResumeData(bytes: Uint8Array, limits: ResumeLimits = {}): ResumeState | LibtorrentError {
  const decoded = bdecode(bytes, {
    depth: limits.maxDecodeDepth,
    tokens: limits.maxDecodeTokens,
    size: limits.maxBufferSize ?? DEFAULT_MAX_BUFFER_SIZE,
  })
  if (!decoded.ok) {
    return libtorrentError('parseFailed', {
      operation: 'checkResume',
      cause: bdecodeError(decoded.code, decoded.offset),
    })
  }
  const { root } = decoded
  if (root.type !== 'dict') return fail('notADictionary')
  if (root.getText('file-format') !== RESUME_FILE_FORMAT) return fail('invalidFileTag')
  const version = root.get('file-version') === null ? 1 : root.getInt('file-version')
  if (version !== 1 && version !== 2) return fail('invalidFileTag')
  const infoHash = digestOf(root.getString('info-hash'), Sha1Hash)
  const infoHash2 = digestOf(root.getString('info-hash2'), Sha256Hash)
  if (infoHash === null && infoHash2 === null) return fail('missingInfoHash')

  const state: Draft = emptyResumeState(infoHash, infoHash2)
  state.fileVersion = version
  readPlain(root, state)
  if (!readPieces(root, state, limits.maxPieces ?? DEFAULT_MAX_PIECES)) return fail('tooManyPiecesInTorrent')
  readFiles(root, state)
  readSources(root, state, limits.maxUrls ?? DEFAULT_MAX_URLS)
  readPeers(root, state, limits.maxPeers ?? DEFAULT_MAX_PEERS)
  readFollowed(root.getDict('mutable-torrent'), state)
  readInfo(root, state)
  return state
}

function fail(code: LibtorrentErrorCode): LibtorrentError {
  return libtorrentError(code, { operation: 'checkResume' })
}

/** A hash of zeros is how libtorrent 2 writes that there is none. */
function digestOf<T extends Sha1Hash | Sha256Hash>(
  bytes: Uint8Array | null,
  kind: { readonly size: number; new (bytes: Uint8Array): T },
): T | null {
  if (bytes === null || bytes.length !== kind.size) return null
  const digest = new kind(bytes)
  return digest.isAllZeros() ? null : digest
}

function readPlain(root: BNode, state: Draft): void {
  for (const [field, key] of Object.entries(RESUME_TEXTS)) {
    state[field as keyof typeof RESUME_TEXTS] = root.getText(key) ?? ''
  }
  for (const [field, key] of Object.entries(RESUME_NUMBERS)) {
    const name = field as keyof typeof RESUME_NUMBERS
    const value = root.getInt(key)
    if (value === null) continue
    // What may be -1 is so in an empty state.
    const canBeUnknown = state[name] < 0
    state[name] = canBeUnknown && (value < 0 || value === UNKNOWN_24_BITS) ? -1 : Math.max(value, 0)
  }
  for (const [field, key] of Object.entries(RESUME_FLAGS)) {
    const flag = root.getInt(key)
    state[field as keyof typeof RESUME_FLAGS] = flag === null ? null : flag !== 0
  }
  if (state.numComplete < 0) state.numComplete = Math.max(root.getInt('num_seeds') ?? -1, -1)
  if (state.numIncomplete < 0) state.numIncomplete = Math.max(root.getInt('num_downloaders') ?? -1, -1)
  state.libtorrentVersion = root.getText('libtorrent-version') ?? ''
  state.allocation = allocationOf(root.getText('allocation'))
}

function allocationOf(text: string | null): ResumeAllocation {
  if (text === 'full' || text === 'allocate') return 'allocate'
  return text === 'compact' ? 'compact' : 'sparse'
}

/** False when there are more pieces than allowed. */
function readPieces(root: BNode, state: Draft, maxPieces: number): boolean {
  state.blocksPerPiece = root.getInt('blocks per piece')
  const pieces = root.getString('pieces')
  if (pieces !== null) {
    if (pieces.length > maxPieces) return false
    if (state.fileVersion === 2) {
      state.have = fromBits(pieces)
      const verified = root.getString('verified')
      if (verified !== null && verified.length === pieces.length) state.verified = fromBits(verified)
    } else {
      state.have = fromFlags(pieces, PIECE_HAVE)
      const verified = fromFlags(pieces, PIECE_VERIFIED)
      if (!verified.isNoneSet) state.verified = verified
    }
  }
  const slots = root.getList('slots')
  if (slots !== null) state.slots = Array.from(slots, (slot) => slot.asInt())

  const lowBitFirst = (libtorrentSeries(state.libtorrentVersion) ?? MODERN_SERIES) < MODERN_SERIES
  const unfinished: UnfinishedPiece[] = []
  for (const row of root.getList('unfinished') ?? []) {
    const piece = row.getInt('piece') ?? -1
    const mask = row.getString('bitmask')
    if (piece < 0 || piece >= maxPieces || mask === null || mask.length === 0) continue
    unfinished.push({ piece, blocks: fromBits(lowBitFirst ? mask.map(reverseBits) : mask) })
  }
  state.unfinished = unfinished
  return true
}

function fromFlags(bytes: Uint8Array, flag: number): Bitfield {
  const bits = new Bitfield(bytes.length)
  for (let i = 0; i < bytes.length; i++) if ((bytes[i] & flag) !== 0) bits.set(i)
  return bits
}

function fromBits(bytes: Uint8Array): Bitfield {
  return Bitfield.fromWire(bytes, bytes.length * 8)!
}

function reverseBits(byte: number): number {
  let reversed = 0
  for (let bit = 0; bit < 8; bit++) if ((byte & (1 << bit)) !== 0) reversed |= 0x80 >> bit
  return reversed
}

function readFiles(root: BNode, state: Draft): void {
  const sizes = root.get('file sizes')
  if (sizes !== null) state.fileSizes = fileSizesOf(sizes)
  const filePriority = root.getList('file_priority')
  if (filePriority !== null) state.filePriorities = Array.from(filePriority, (node) => clamped(node.asInt() ?? 1))
  state.piecePriorities = root.getString('piece_priority')?.map(clamped) ?? null
  const mapped = root.getList('mapped_files')
  if (mapped !== null) state.mappedFiles = Array.from(mapped, (node) => node.asText() ?? '')
}

function fileSizesOf(list: BNode): ResumeFileSize[] | 'invalid' {
  if (list.type !== 'list') return 'invalid'
  const sizes: ResumeFileSize[] = []
  for (const row of list) {
    const size = row.at(0)?.asInt() ?? null
    const mtime = row.at(1)?.asInt() ?? null
    if (size === null || mtime === null || size < 0) return 'invalid'
    sizes.push({ size, mtime })
  }
  return sizes
}

function clamped(priority: number): number {
  return Math.min(Math.max(priority, 0), TOP_PRIORITY)
}

function readSources(root: BNode, state: Draft, maxUrls: number): void {
  const trackers = root.getList('trackers')
  if (trackers !== null) state.trackers = tiersOf(trackers, maxUrls)
  const urlSeeds = root.getList('url-list')
  if (urlSeeds !== null) state.urlSeeds = texts(urlSeeds, maxUrls)
  const httpSeeds = root.getList('httpseeds')
  if (httpSeeds !== null) state.httpSeeds = texts(httpSeeds, maxUrls)
}

function tiersOf(list: BNode, maxUrls: number): string[][] {
  const tiers: string[][] = []
  let left = maxUrls
  for (const node of list) {
    if (left === 0) break
    const tier = texts(node, left)
    left -= tier.length
    if (tier.length > 0) tiers.push(tier)
  }
  return tiers
}

/** The strings of a list that are not empty, the first `max` of them. */
function texts(list: BNode, max: number): string[] {
  const found: string[] = []
  for (const node of list) {
    if (found.length === max) break
    const text = node.asText() ?? ''
    if (text !== '') found.push(text)
  }
  return found
}

function readPeers(root: BNode, state: Draft, max: number): void {
  const read = (key: string, size: number) => peersOf(root.get(key), size, max)
  state.peers = [...read('peers', COMPACT_V4_SIZE), ...read('peers6', COMPACT_V6_SIZE)]
  state.bannedPeers = [...read('banned_peers', COMPACT_V4_SIZE), ...read('banned_peers6', COMPACT_V6_SIZE)]
}

/** Peers as the manual has them, a list of dictionaries, or as libtorrent writes them, `size` bytes each. */
function peersOf(node: BNode | null, size: number, max: number): ResumePeer[] {
  const peers: ResumePeer[] = []
  const compact = node?.asString() ?? null
  if (compact !== null) {
    for (let at = 0; at + size <= compact.length && peers.length < max; at += size) {
      const peer = decodeCompactEndpoint(compact.subarray(at, at + size))
      if (peer !== null && peer.port > 0) peers.push(peer)
    }
  }
  for (const row of node ?? []) {
    if (peers.length >= max) break
    const address = normalizeAddress(row.getText('ip') ?? '')
    const port = row.getInt('port') ?? 0
    if (address === null || port <= 0 || port >= 65536) continue
    peers.push(row.getInt('encryption') === 1 ? { address, port, supportsEncryption: true } : { address, port })
  }
  return peers
}

function readFollowed(dict: BNode | null, state: Draft): void {
  const torrent = mutableTorrentOf(dict?.getString('k')?.slice() ?? null, dict?.getString('salt')?.slice() ?? null)
  state.mutableTorrent = torrent
  if (dict === null || torrent === null) return
  const seq = dict.getBigInt('seq')
  const signature = dict.getString('sig')?.slice()
  const value = dict.getString('v')?.slice()
  if (seq === null || seq < 0n || seq > MAX_SEQUENCE_NUMBER) return
  if (signature?.length !== SIGNATURE_BYTES || value === undefined || value.length > MAX_ITEM_BYTES) return
  state.mutableItem = { ...torrent, seq, signature, value }
}

/** The info dictionary is taken only if it is that of this torrent. */
function readInfo(root: BNode, state: Draft): void {
  const info = root.getDict('info')
  if (info === null) return
  const { bytes } = info
  if (state.infoHash !== null && !sha1(bytes).equals(state.infoHash)) return
  if (state.infoHash2 !== null && !sha256(bytes).equals(state.infoHash2)) return
  state.info = bytes.slice()
}
