import type { Endpoint } from '../address/endpoint.ts'
import type { StorageConstructor } from '../disk/storageInterface.ts'
import type { FileRange } from '../metainfo/magnet.ts'
import type { MutableTorrent } from '../metainfo/mutableTorrent.ts'
import type { TorrentInfo } from '../metainfo/torrentInfo.ts'
import type { Sha1Hash } from '../util/digest.ts'

/** How files take their space on disk (manual, "storage allocation"). */
export const StorageMode = {
  /** Blocks are written where they belong; what is missing takes no space. */
  sparse: 'sparse',
  /** Files have their full size from the start. */
  allocate: 'allocate',
} as const
export type StorageMode = (typeof StorageMode)[keyof typeof StorageMode]

/**
 * What a torrent is added with (manual, add_torrent_params; the 1.0 flags are the boolean fields here).
 * One of `ti`, `infoHash` and `url` says which torrent; for `Session.asyncAddTorrent` `mutableTorrent` will do.
 */
export interface AddTorrentParams {
  /** The torrent, from its .torrent file. */
  ti?: TorrentInfo
  /** The info-hash alone: the metadata is fetched from peers. */
  infoHash?: Sha1Hash
  /** A magnet link. What it says is added to the other fields. */
  url?: string
  /**
   * The torrent is a version of this one (BEP 46). While it runs and the DHT has its turn with it, each
   * `dhtAnnounceInterval`, a newer version is looked for and told by the alert `torrentUpdate`; what becomes of it is up to
   * you. Its item is kept alive in the DHT meanwhile. Not done for private torrents, nor with `disableDht`. Default: as the
   * resume data says.
   */
  mutableTorrent?: MutableTorrent
  /** Shown while the metadata is not known. */
  name?: string
  /** Directory the files are in, or will be; made when needed. Relative paths count from the working directory. */
  savePath: string
  /** What `saveResumeData` gave in an earlier session. */
  resumeData?: Uint8Array
  /** Default `sparse`. */
  storageMode?: StorageMode
  /** Storage of one's own in place of files. */
  storage?: StorageConstructor
  /** Start paused. Default false. */
  paused?: boolean
  /** Left to the session to start and stop. Default true. A torrent added `paused` stays paused only if this is false. */
  autoManaged?: boolean
  /** Adding a torrent that is there already throws `duplicateTorrent`, instead of giving its handle. Default false. */
  duplicateIsError?: boolean
  /** All files are complete: pieces are checked when they are first asked for, not before. Default false. */
  seedMode?: boolean
  /** Download nothing but the metadata. Default false. */
  uploadMode?: boolean
  /** Pieces in order. Default false. */
  sequentialDownload?: boolean
  /** The session's IP filter applies to this torrent. Default true, or as resume data says (1.0, flag_apply_ip_filter). */
  applyIpFilter?: boolean
  /** `paused`, `autoManaged` and `savePath` of these parameters count, not those of the resume data. Default false. */
  overrideResumeData?: boolean
  /** Keep the trackers given here beside those of the resume data. Default false. */
  mergeResumeTrackers?: boolean
  /** The resume data is trusted with paths: its save path counts, and absolute names of files in it. Default false. */
  useResumeSavePath?: boolean
  /** Report changes in `stateUpdate` alerts. Default true. */
  updateSubscribe?: boolean
  /** Kept with the torrent for its owner. */
  userdata?: unknown
  /** One more tracker, in a tier before the others (0.15). */
  trackerUrl?: string
  /** More trackers; each in its own tier unless `trackerTiers` says otherwise. */
  trackers?: readonly string[]
  /** Tier of each of `trackers`. */
  trackerTiers?: readonly number[]
  /** Sent to trackers until they give an id of their own. Default none. */
  trackerid?: string
  /** Web seeds (BEP 19) beside those of the torrent: URLs of web servers that have the files. */
  urlSeeds?: readonly string[]
  /** Web seeds of BEP 17 beside those of the torrent: URLs of scripts that give pieces. */
  httpSeeds?: readonly string[]
  /** Keep the web seeds of the torrent, and those given here, beside those of the resume data. Default false. */
  mergeResumeHttpSeeds?: boolean
  /** Nodes of the DHT to begin with (1.0, dht_nodes). `host` may be a name. */
  dhtNodes?: readonly { readonly host: string; readonly port: number }[]
  /** Do not look for peers in the DHT. Default: as the resume data says, else false; private torrents never do (1.2). */
  disableDht?: boolean
  /** The same for local service discovery. */
  disableLsd?: boolean
  /** The same for peer exchange. */
  disablePex?: boolean
  /**
   * It is a torrent of I2P: without the setting `allowI2pMixed` it has peers and trackers there only, and others never hear
   * of it. Default: as the resume data says, else whether it has a tracker there (2.1, torrent_flags::i2p_torrent).
   */
  i2pTorrent?: boolean
  /** Peers to connect to at once. */
  peers?: readonly Endpoint[]
  /**
   * The only files wanted (BEP 53), unless `filePriorities` says otherwise. An empty list wants none: of a magnet link only
   * the metadata is fetched, and the torrent is `finished` until files are given a priority.
   */
  selectOnly?: readonly FileRange[]
  /** 0 to 7 for each file; files beyond the list are wanted. */
  filePriorities?: readonly number[]
  /** 0 to 7 for each piece; goes before `filePriorities`. */
  piecePriorities?: readonly number[]
  /** Most peers unchoked at a time, -1 for no limit (default). */
  maxUploads?: number
  /** Most connections, -1 for no limit (default). */
  maxConnections?: number
  /** Bytes a second to all its peers together, -1 for no limit (default). */
  uploadLimit?: number
  /** Bytes a second from all its peers and web seeds together, -1 for no limit (default). */
  downloadLimit?: number
}
