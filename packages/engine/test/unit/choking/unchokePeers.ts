import type { UnchokeRules } from '../../../src/choking/chooseUnchoked.ts'
import type { UnchokeCandidate, UnchokeTorrent } from '../../../src/choking/unchokeCandidate.ts'
import { ChokingAlgorithm, SeedChokingAlgorithm } from '../../../src/settings/settingEnums.ts'

export const NOW = 10_000_000
export const INTERVAL = 15_000

export function aTorrent(maxUploads = -1): UnchokeTorrent {
  return { pieceLength: 1000, totalSize: 100_000, maxUploads }
}

const torrent = aTorrent()

export interface NamedCandidate extends UnchokeCandidate {
  readonly name: string
}

export function aPeer(name: string, fields: Partial<UnchokeCandidate> = {}): NamedCandidate {
  return {
    name,
    torrent,
    isChoked: true,
    isOptimisticallyUnchoked: false,
    downloadedInLastRound: 0,
    uploadedInLastRound: 0,
    uploadedSinceUnchoked: 0,
    totalPayloadUpload: 0,
    numHavePieces: 0,
    lastUnchoked: 0,
    lastOptimisticallyUnchoked: 0,
    uploadPriority: 1,
    ...fields,
  }
}

export function theRules(fields: Partial<UnchokeRules> = {}): UnchokeRules {
  return {
    chokingAlgorithm: ChokingAlgorithm.fixedSlotsChoker,
    seedChokingAlgorithm: SeedChokingAlgorithm.roundRobin,
    unchokeSlotsLimit: 3,
    seedingPieceQuota: 20,
    rateChokerInitialThreshold: 1024,
    numOptimisticUnchokeSlots: 1,
    ...fields,
  }
}

export function names(peers: Iterable<NamedCandidate>): string[] {
  return Array.from(peers, (peer) => peer.name)
}
