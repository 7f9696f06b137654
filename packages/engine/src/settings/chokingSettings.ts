import { ChokingAlgorithm, SeedChokingAlgorithm } from './settingEnums.ts'
import { choice, int, source } from './settingRow.ts'

/** Settings about who may download from us. */
export const chokingSettings = {
  unchokeSlotsLimit: int('unchoke_slots_limit', {
    default: 8,
    min: -1,
    unit: 'peers',
    source: source.v1_0,
    doc: 'Upload slots over all torrents (`session::set_max_uploads`). -1: no limit. Peers of the local network need none, see `ignoreLimitsOnLocalNetwork`.',
  }),
  unchokeInterval: int('unchoke_interval', {
    default: 15,
    min: 1,
    unit: 's',
    source: source.manual,
    doc: 'How often it is decided anew who gets the upload slots. Long enough for TCP to reach its speed.',
  }),
  optimisticUnchokeInterval: int('optimistic_unchoke_interval', {
    default: 30,
    min: 1,
    unit: 's',
    source: source.manual,
    doc: 'How often the slots that are given without merit go to someone else.',
  }),
  numOptimisticUnchokeSlots: int('num_optimistic_unchoke_slots', {
    default: 0,
    unit: 'peers',
    source: source.v1_0,
    doc: 'How many slots are given without merit, so that newcomers get a chance. 0: a fifth of all, at least one.',
  }),
  chokingAlgorithm: choice<ChokingAlgorithm>('choking_algorithm', ChokingAlgorithm, {
    default: ChokingAlgorithm.fixedSlotsChoker,
    classic: ChokingAlgorithm.autoExpandChoker,
    source: source.v1_0,
    doc: 'How the number of upload slots is decided.',
  }),
  rateChokerInitialThreshold: int('rate_choker_initial_threshold', {
    default: 1024,
    min: 1,
    unit: 'bytes/s',
    source: source.v1_2,
    doc: 'With the rate-based choker: upload rate to a peer that earns a second slot. Each further one takes 2048 more.',
  }),
  seedChokingAlgorithm: choice<SeedChokingAlgorithm>('seed_choking_algorithm', SeedChokingAlgorithm, {
    default: SeedChokingAlgorithm.roundRobin,
    source: source.v1_0,
    doc: 'Who gets the upload slots of torrents that are seeding.',
  }),
  seedingPieceQuota: int('seeding_piece_quota', {
    default: 20,
    min: 1,
    unit: 'pieces',
    source: source.manual,
    doc: 'With round robin: pieces a peer gets before it is the turn of another.',
  }),
} as const
