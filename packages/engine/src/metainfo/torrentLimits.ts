import { hostNameRules, type NameRules } from './sanitizePath.ts'

/** How much a .torrent may ask of us: libtorrent's `load_torrent_limits`. */
export interface TorrentLimits {
  /** Bytes of the .torrent; default 10,000,000. More gives `metadataTooLarge`. */
  readonly maxBufferSize?: number
  /** Default 0x200000. More gives `tooManyPiecesInTorrent`. */
  readonly maxPieces?: number
  /** Lists and dicts inside each other; default 100. */
  readonly maxDecodeDepth?: number
  /** Bencoded values; default 3,000,000. */
  readonly maxDecodeTokens?: number
  /** Files that must be renamed because their path is taken; default 500. More gives `torrentFileParseFailed`. */
  readonly maxDuplicateFilenames?: number
  /** Parts of a path; default 100. More gives `torrentInvalidName`. */
  readonly maxDirectoryDepth?: number
  /** Trackers, web seeds and nodes taken from the .torrent, of each kind; default 1000. The rest is left out. */
  readonly maxUrls?: number
  /** Which file system the names must suit; default the one of this machine. */
  readonly nameRules?: NameRules
}

/** The limits that hold where others are not given; in the main libtorrent's. `nameRules` are those of this machine. */
export const DEFAULT_TORRENT_LIMITS: Required<TorrentLimits> = {
  maxBufferSize: 10_000_000,
  maxPieces: 0x200000,
  maxDecodeDepth: 100,
  maxDecodeTokens: 3_000_000,
  maxDuplicateFilenames: 500,
  maxDirectoryDepth: 100,
  maxUrls: 1000,
  nameRules: hostNameRules,
}
