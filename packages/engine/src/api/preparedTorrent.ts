import { isLoopback, isUnspecified } from '../address/classify.ts'
import type { Endpoint } from '../address/endpoint.ts'
import { LibtorrentError, thrownError } from '../errors/libtorrentError.ts'
import { parseMagnetUri } from '../metainfo/magnet.ts'
import { TorrentInfo } from '../metainfo/torrentInfo.ts'
import { readResumeData } from '../resume/readResumeData.ts'
import type { ResumeState } from '../resume/resumeState.ts'
import type { AddTorrentParams } from '../torrent/addTorrentParams.ts'

const UNKNOWN_VERSION = 'only the DHT knows which version of the torrent is the newest: asyncAddTorrent asks it'
/** Of the peers that a magnet link names, so many may be on this machine itself. */
const MAX_PEERS_OF_OWN_MACHINE = 4

/** A torrent as it is about to be added. */
interface PreparedTorrent {
  /** The parameters, with what the magnet link and the resume data add to them. */
  readonly all: AddTorrentParams
  readonly info: TorrentInfo
  /** Null when there is none, or none that can be read. */
  readonly resume: ResumeState | null
  /** Why the resume data could not be read. */
  readonly resumeError: LibtorrentError | null
}

/** Brings together what the parameters, the magnet link and the resume data say. */
export function prepareTorrent(params: AddTorrentParams): PreparedTorrent {
  if (typeof params.savePath !== 'string' || params.savePath === '') {
    throw new TypeError('savePath is missing: it says in which directory the files are')
  }
  const read = params.resumeData === undefined ? null : readResumeData(params.resumeData)
  const [resume, resumeError] = read instanceof LibtorrentError ? [null, read] : [read, null]
  const all = withResumeFlags(params.url === undefined ? params : withMagnet(params, params.url), resume)
  let { ti } = all
  const infoHash = ti?.infoHash ?? all.infoHash ?? resume?.infoHash
  if (infoHash === undefined || infoHash === null) {
    if (all.mutableTorrent !== undefined) throw thrownError('missingInfoHashInUri', { message: UNKNOWN_VERSION })
    throw new TypeError('which torrent? Give ti, infoHash, a magnet link as url, or resumeData')
  }
  ti ??= new TorrentInfo(infoHash)
  if (!ti.isValid && resume?.info && resume.infoHash?.equals(infoHash)) ti.parseInfoSection(resume.info)
  return { all, info: ti, resume, resumeError }
}

/** What a magnet link says comes after what the parameters say. @throws LibtorrentError for one that is malformed */
export function withMagnet(params: AddTorrentParams, uri: string): AddTorrentParams {
  const magnet = parseMagnetUri(uri)
  if (magnet instanceof LibtorrentError) throw magnet
  if (magnet.infoHash === null && magnet.mutableTorrent === null) {
    throw thrownError('missingInfoHashInUri', {
      message: 'the link is to a v2-only torrent, which is not supported',
    })
  }
  return {
    ...params,
    infoHash: magnet.infoHash ?? params.infoHash,
    mutableTorrent: params.mutableTorrent ?? magnet.mutableTorrent ?? undefined,
    name: params.name ?? magnet.name,
    trackers: [...(params.trackers ?? []), ...magnet.trackers.map((tracker) => tracker.url)],
    urlSeeds: [...(params.urlSeeds ?? []), ...magnet.urlSeeds],
    peers: [...(params.peers ?? []), ...withFewOfOwnMachine(magnet.peers)],
    dhtNodes: [...(params.dhtNodes ?? []), ...magnet.dhtNodes],
    selectOnly: params.selectOnly ?? magnet.selectOnly ?? undefined,
  }
}

/**
 * A link is a stranger's word, and so are the bytes of the info-hash in our handshake, which a service of this machine may
 * take for a command: it cannot have all our ports knocked at.
 */
function withFewOfOwnMachine(peers: readonly Endpoint[]): Endpoint[] {
  let left = MAX_PEERS_OF_OWN_MACHINE
  return peers.filter(({ address }) => !(isLoopback(address) || isUnspecified(address)) || left-- > 0)
}

/** Where peers are looked for, and newer versions, is said by the parameters, or else by the resume data. */
function withResumeFlags(params: AddTorrentParams, resume: ResumeState | null): AddTorrentParams {
  return {
    ...params,
    disableDht: params.disableDht ?? resume?.disableDht ?? false,
    disableLsd: params.disableLsd ?? resume?.disableLsd ?? false,
    disablePex: params.disablePex ?? resume?.disablePex ?? false,
    i2pTorrent: params.i2pTorrent ?? (resume?.i2pTorrent || undefined),
    mutableTorrent: params.mutableTorrent ?? resume?.mutableTorrent ?? undefined,
  }
}
