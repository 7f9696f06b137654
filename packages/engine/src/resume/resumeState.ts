import type { Endpoint } from '../address/endpoint.ts'
import type { MutableItem } from '../dht/mutableItem.ts'
import type { MutableTorrent } from '../metainfo/mutableTorrent.ts'
import type { Bitfield } from '../util/bitfield.ts'
import type { Sha1Hash, Sha256Hash } from '../util/digest.ts'
import type { PieceIndex, UnixSeconds } from '../util/flavored.ts'

/** Size and time of a file when the resume data was saved. */
export interface ResumeFileSize {
  /** Bytes; 0 for a file that did not exist. */
  readonly size: number
  readonly mtime: UnixSeconds
}

/** A piece some blocks of which are on disk. */
export interface UnfinishedPiece {
  readonly piece: PieceIndex
  /** The blocks that are written, from the first on. May be longer or shorter than the piece has blocks. */
  readonly blocks: Bitfield
}

/** `compact` data (libtorrent 0.15) may have its pieces anywhere; we do not write it. */
export type ResumeAllocation = 'sparse' | 'allocate' | 'compact'

/** A peer to be tried, and whether an encrypted connection worked when it was last tried. */
export interface ResumePeer extends Endpoint {
  readonly supportsEncryption?: boolean
}

/**
 * What fast-resume data says (manual, "fast resume" and "file format"), with nothing checked against a torrent or a
 * disk yet. Null is "not said": the reader keeps what it has. Numbers that were not said are 0, or -1 where noted.
 */
export interface ResumeState {
  /** v1 info-hash. One of the two is there. */
  readonly infoHash: Sha1Hash | null
  /** v2 info-hash. */
  readonly infoHash2: Sha256Hash | null
  /** 1 (the manual's), or 2: `have` and `verified` may then be up to 7 bits too long. */
  readonly fileVersion: 1 | 2
  /** Who wrote it: libtorrent's number, as in `2.0.8.0`. Empty when not said. When written, it is us, whatever is here. */
  readonly libtorrentVersion: string
  readonly name: string
  /** Empty when not said. */
  readonly savePath: string
  /** Where the torrent was to be fetched from, if it was added by URL. */
  readonly url: string
  readonly allocation: ResumeAllocation

  /** Blocks in every piece but the last, as the writer counts them. */
  readonly blocksPerPiece: number | null
  /** Pieces on disk that passed the hash check; not longer than 0 without metadata. */
  readonly have: Bitfield | null
  /** Pieces verified since the torrent was added in seed mode. */
  readonly verified: Bitfield | null
  /** Piece in each slot; -1 none, -2 unallocated, null what is no number. Only compact allocation needs it. */
  readonly slots: readonly (number | null)[] | null
  readonly unfinished: readonly UnfinishedPiece[]
  /** One for each file of the torrent; libtorrent before 1.2 and we write it. `'invalid'`: there, and not as it must be. */
  readonly fileSizes: readonly ResumeFileSize[] | 'invalid' | null
  /** 0 to 7 for each file. */
  readonly filePriorities: readonly number[] | null
  /** 0 to 7 for each piece. */
  readonly piecePriorities: Uint8Array | null
  /** Path of each file, empty where it was not renamed. Not sanitised: any path may be in here. */
  readonly mappedFiles: readonly string[] | null

  /** URLs of each tier. */
  readonly trackers: readonly (readonly string[])[] | null
  readonly urlSeeds: readonly string[] | null
  readonly httpSeeds: readonly string[] | null
  readonly peers: readonly ResumePeer[]
  readonly bannedPeers: readonly Endpoint[]

  /** Whose newer versions are looked for (BEP 46); written by us only, `mutable-torrent`: key `k` and `salt`. */
  readonly mutableTorrent: MutableTorrent | null
  /** The newest item of it: `v` (bencoded), `seq` and `sig` of the same dictionary. Nobody has checked its signature. */
  readonly mutableItem: MutableItem | null

  /** Payload bytes, over all sessions. */
  readonly totalUploaded: number
  readonly totalDownloaded: number
  /** Seconds. */
  readonly activeTime: number
  readonly finishedTime: number
  readonly seedingTime: number
  readonly addedTime: UnixSeconds
  readonly completedTime: UnixSeconds
  readonly lastSeenComplete: UnixSeconds
  readonly lastDownload: UnixSeconds
  readonly lastUpload: UnixSeconds
  /** Seeds, other peers, and downloads completed as the tracker counts them; -1 not known. */
  readonly numComplete: number
  readonly numIncomplete: number
  readonly numDownloaded: number

  /** Bytes per second; -1 or 0 unlimited. */
  readonly uploadRateLimit: number
  readonly downloadRateLimit: number
  /** Of bandwidth among torrents, 0 to 255 (1.0). */
  readonly priority: number
  /** -1 unlimited. */
  readonly maxConnections: number
  readonly maxUploads: number

  readonly paused: boolean | null
  readonly autoManaged: boolean | null
  readonly sequentialDownload: boolean | null
  readonly seedMode: boolean | null
  readonly superSeeding: boolean | null
  readonly uploadMode: boolean | null
  readonly shareMode: boolean | null
  readonly applyIpFilter: boolean | null
  readonly stopWhenReady: boolean | null
  readonly disableDht: boolean | null
  readonly disableLsd: boolean | null
  readonly disablePex: boolean | null
  /** A torrent of I2P (libtorrent 2.1). */
  readonly i2pTorrent: boolean | null

  /** The info dictionary as it stands in the .torrent; its hash is one of the info-hashes. */
  readonly info: Uint8Array | null
  readonly comment: string
  readonly createdBy: string
  readonly creationDate: UnixSeconds
}

/** Resume data that says nothing but which torrent it is for: to be filled in with a spread. */
export function emptyResumeState(infoHash: Sha1Hash | null, infoHash2: Sha256Hash | null = null): ResumeState {
  return {
    infoHash,
    infoHash2,
    fileVersion: 1,
    libtorrentVersion: '',
    name: '',
    savePath: '',
    url: '',
    allocation: 'sparse',
    blocksPerPiece: null,
    have: null,
    verified: null,
    slots: null,
    unfinished: [],
    fileSizes: null,
    filePriorities: null,
    piecePriorities: null,
    mappedFiles: null,
    trackers: null,
    urlSeeds: null,
    httpSeeds: null,
    peers: [],
    bannedPeers: [],
    mutableTorrent: null,
    mutableItem: null,
    totalUploaded: 0,
    totalDownloaded: 0,
    activeTime: 0,
    finishedTime: 0,
    seedingTime: 0,
    addedTime: 0,
    completedTime: 0,
    lastSeenComplete: 0,
    lastDownload: 0,
    lastUpload: 0,
    numComplete: -1,
    numIncomplete: -1,
    numDownloaded: -1,
    uploadRateLimit: -1,
    downloadRateLimit: -1,
    maxConnections: -1,
    maxUploads: -1,
    priority: 0,
    paused: null,
    autoManaged: null,
    sequentialDownload: null,
    seedMode: null,
    superSeeding: null,
    uploadMode: null,
    shareMode: null,
    applyIpFilter: null,
    stopWhenReady: null,
    disableDht: null,
    disableLsd: null,
    disablePex: null,
    i2pTorrent: null,
    info: null,
    comment: '',
    createdBy: '',
    creationDate: 0,
  }
}

/** The integers, and the key each has in the file. */
export const RESUME_NUMBERS = {
  totalUploaded: 'total_uploaded',
  totalDownloaded: 'total_downloaded',
  activeTime: 'active_time',
  finishedTime: 'finished_time',
  seedingTime: 'seeding_time',
  addedTime: 'added_time',
  completedTime: 'completed_time',
  lastSeenComplete: 'last_seen_complete',
  lastDownload: 'last_download',
  lastUpload: 'last_upload',
  numComplete: 'num_complete',
  numIncomplete: 'num_incomplete',
  numDownloaded: 'num_downloaded',
  uploadRateLimit: 'upload_rate_limit',
  downloadRateLimit: 'download_rate_limit',
  maxConnections: 'max_connections',
  maxUploads: 'max_uploads',
  priority: 'priority',
  creationDate: 'creation date',
} as const satisfies Partial<Record<keyof ResumeState, string>>

/** The flags, 1 or 0 in the file. */
export const RESUME_FLAGS = {
  paused: 'paused',
  autoManaged: 'auto_managed',
  sequentialDownload: 'sequential_download',
  seedMode: 'seed_mode',
  superSeeding: 'super_seeding',
  uploadMode: 'upload_mode',
  shareMode: 'share_mode',
  applyIpFilter: 'apply_ip_filter',
  stopWhenReady: 'stop_when_ready',
  disableDht: 'disable_dht',
  disableLsd: 'disable_lsd',
  disablePex: 'disable_pex',
  i2pTorrent: 'i2p',
} as const satisfies Partial<Record<keyof ResumeState, string>>

/** The texts; left out of the file when empty. */
export const RESUME_TEXTS = {
  name: 'name',
  savePath: 'save_path',
  url: 'url',
  comment: 'comment',
  createdBy: 'created by',
} as const satisfies Partial<Record<keyof ResumeState, string>>

export const RESUME_FILE_FORMAT = 'libtorrent resume file'

/** Bits of each character of `pieces` (manual, "file format"). */
export const PIECE_HAVE = 1
export const PIECE_VERIFIED = 2

/** 102 for a libtorrent 1.2 of any kind; null when the writer is not libtorrent, or did not say. */
export function libtorrentSeries(version: string): number | null {
  const match = /^(\d{1,3})\.(\d{1,2})\./.exec(version)
  return match === null ? null : Number(match[1]) * 100 + Number(match[2])
}

/** The first libtorrent to write bitmasks highest bit first, and no file sizes. */
export const MODERN_SERIES = 102

/** A copy of `bits` with exactly `size` bits: cut off, or filled up with zeros. */
export function fitted(bits: Bitfield, size: number): Bitfield {
  const copy = bits.clone()
  copy.resize(size)
  return copy
}
