import { addressToBytes } from '../address/addressBytes.ts'
import { encodeCompactEndpoint } from '../address/compactEndpoint.ts'
import type { Endpoint } from '../address/endpoint.ts'
import { bencode } from '../bencode/bencode.ts'
import { type Entry, Preformatted } from '../bencode/entry.ts'
import type { Bitfield } from '../util/bitfield.ts'
import { concatBytes } from '../util/bytes.ts'
import { VERSION } from '../util/version.ts'
import {
  PIECE_HAVE,
  PIECE_VERIFIED,
  RESUME_FILE_FORMAT,
  RESUME_FLAGS,
  RESUME_NUMBERS,
  RESUME_TEXTS,
  type ResumeState,
} from './resumeState.ts'

/** What we are known by; no number in front, as the numbers are libtorrent's and tell its ways. */
export const RESUME_WRITER = `libtorrent-ts ${VERSION}`

/** The file: see `resumeEntry`. */
export function writeResumeData(state: ResumeState): Uint8Array {
  return bencode(resumeEntry(state))
}

/**
 * `state` as the manual's dictionary ("fast resume", file version 1), with the keys libtorrent 1.0 and 2 have added.
 * Both the manual's way of peers (a list) and libtorrent's block bitmask (first block in the highest bit, since 1.2)
 * are read by us; libtorrent 2 takes everything but the peers.
 *
 * What `have` and `unfinished` claim must have been on disk before `fileSizes` were looked up.
 */
export function resumeEntry(state: ResumeState): Map<string, Entry> {
  const out = new Map<string, Entry>()
  const put = (key: string, value: Entry | null) => {
    if (value !== null) out.set(key, value)
  }
  out.set('file-format', RESUME_FILE_FORMAT)
  out.set('file-version', 1)
  put('info-hash', state.infoHash?.bytes ?? null)
  put('info-hash2', state.infoHash2?.bytes ?? null)
  // The manual knows `full`; libtorrent 2 writes `allocate` and reads both.
  out.set('allocation', state.allocation === 'allocate' ? 'full' : state.allocation)
  out.set('libtorrent-version', RESUME_WRITER)
  for (const [field, key] of Object.entries(RESUME_TEXTS)) {
    const text = state[field as keyof typeof RESUME_TEXTS]
    if (text !== '') out.set(key, text)
  }
  for (const [field, key] of Object.entries(RESUME_NUMBERS)) {
    const number = state[field as keyof typeof RESUME_NUMBERS]
    if (field !== 'creationDate' || number !== 0) out.set(key, number)
  }
  for (const [field, key] of Object.entries(RESUME_FLAGS)) {
    const flag = state[field as keyof typeof RESUME_FLAGS]
    if (flag !== null) out.set(key, flag ? 1 : 0)
  }
  // The manual's names of what libtorrent 1.0 calls num_complete and num_incomplete.
  if (state.numComplete >= 0) out.set('num_seeds', state.numComplete)
  if (state.numIncomplete >= 0) out.set('num_downloaders', state.numIncomplete)

  put('blocks per piece', state.blocksPerPiece)
  put('pieces', pieceFlags(state.have, state.verified))
  if (state.slots !== null)
    out.set(
      'slots',
      state.slots.map((slot) => slot ?? -1),
    )
  if (state.unfinished.length > 0) {
    out.set(
      'unfinished',
      state.unfinished.map(({ piece, blocks }) => ({ piece, bitmask: blocks.asBytes() })),
    )
  }
  if (state.fileSizes !== null && state.fileSizes !== 'invalid') {
    out.set(
      'file sizes',
      state.fileSizes.map(({ size, mtime }) => [size, mtime]),
    )
  }
  put('file_priority', state.filePriorities)
  put('piece_priority', state.piecePriorities)
  put('mapped_files', state.mappedFiles)
  put('trackers', state.trackers)
  put('url-list', state.urlSeeds)
  put('httpseeds', state.httpSeeds)
  out.set(
    'peers',
    state.peers.map(({ address, port, supportsEncryption }) => ({
      ip: address,
      port,
      ...(supportsEncryption === true && { encryption: 1 }),
    })),
  )
  putBanned(out, state.bannedPeers)
  if (state.mutableTorrent !== null) {
    const { publicKey, salt } = state.mutableTorrent
    const item = state.mutableItem
    const newest = item === null ? {} : { seq: item.seq, sig: item.signature, v: item.value }
    out.set('mutable-torrent', { k: publicKey, salt, ...newest })
  }
  if (state.info !== null) out.set('info', new Preformatted(state.info))
  return out
}

/** One character per piece; null when nothing is said of pieces. */
function pieceFlags(have: Bitfield | null, verified: Bitfield | null): Uint8Array | null {
  if (have === null) return null
  const flags = new Uint8Array(have.size)
  have.forEachSet((piece) => {
    flags[piece] |= PIECE_HAVE
  })
  verified?.forEachSet((piece) => {
    if (piece < flags.length) flags[piece] |= PIECE_VERIFIED
  })
  return flags
}

function putBanned(out: Map<string, Entry>, peers: readonly Endpoint[]): void {
  const v4: Uint8Array[] = []
  const v6: Uint8Array[] = []
  for (const peer of peers) {
    const size = addressToBytes(peer.address)?.length
    if (size !== undefined) (size === 4 ? v4 : v6).push(encodeCompactEndpoint(peer))
  }
  if (v4.length > 0) out.set('banned_peers', concatBytes(...v4))
  if (v6.length > 0) out.set('banned_peers6', concatBytes(...v6))
}
