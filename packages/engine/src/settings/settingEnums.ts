/** How upload slots are given while downloading (libtorrent `choking_algorithm_t`). The numbers are libtorrent's. */
export const ChokingAlgorithm = {
  /** A fixed number of slots: `unchokeSlotsLimit`. */
  fixedSlotsChoker: 0,
  /** As many slots as the upload rates of the peers justify, at least one. */
  rateBasedChoker: 2,
} as const
export type ChokingAlgorithm = (typeof ChokingAlgorithm)[keyof typeof ChokingAlgorithm]

/** Which peers get upload slots while seeding (libtorrent `seed_choking_algorithm_t`). The numbers are libtorrent's. */
export const SeedChokingAlgorithm = {
  /** Everyone in turn, `seedingPieceQuota` pieces each. */
  roundRobin: 0,
  /** Those we can send to fastest. */
  fastestUpload: 1,
  /** Those that have just begun or are nearly done: they have the most reason to share. */
  antiLeech: 2,
} as const
export type SeedChokingAlgorithm = (typeof SeedChokingAlgorithm)[keyof typeof SeedChokingAlgorithm]

/** Which pieces are suggested to peers (libtorrent `suggest_mode_t`). The numbers are libtorrent's. */
export const SuggestMode = {
  /** None. */
  noPieceSuggestions: 0,
  /** Rare ones that were read or received a moment ago. */
  suggestReadCache: 1,
} as const
export type SuggestMode = (typeof SuggestMode)[keyof typeof SuggestMode]
