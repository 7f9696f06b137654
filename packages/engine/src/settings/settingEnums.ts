/** How upload slots are given while downloading (libtorrent `choking_algorithm_t`). The numbers are libtorrent's. */
export const ChokingAlgorithm = {
  /** A fixed number of slots: `unchokeSlotsLimit`. */
  fixedSlotsChoker: 0,
  /**
   * At least `unchokeSlotsLimit`: with an upload limit one more each second while less than nine tenths of that is used,
   * and one less while peers wait for it.
   */
  autoExpandChoker: 1,
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

/** Whether connections are encrypted (libtorrent `enc_policy`). The numbers are libtorrent's. */
export const EncPolicy = {
  /** Always: others are refused, or not tried. */
  forced: 0,
  /** Both kinds; where one fails the other is tried. */
  enabled: 1,
  /** Never. */
  disabled: 2,
} as const
export type EncPolicy = (typeof EncPolicy)[keyof typeof EncPolicy]

/** How much of an encrypted connection is encrypted (libtorrent `enc_level`). The numbers are those of libtorrent since 1.1. */
export const EncLevel = {
  /** The handshake only. */
  plaintext: 1,
  /** Everything. */
  rc4: 2,
  /** Whichever the other side wants. */
  both: 3,
} as const
export type EncLevel = (typeof EncLevel)[keyof typeof EncLevel]

/** How TCP and uTP peers share the line (libtorrent `bandwidth_mixed_algo_t`). The numbers are libtorrent's. */
export const BandwidthMixedAlgo = {
  /** TCP takes what it can get. */
  preferTcp: 0,
  /** While uTP peers transfer, TCP peers are held to about their part, by their number. */
  peerProportional: 1,
} as const
export type BandwidthMixedAlgo = (typeof BandwidthMixedAlgo)[keyof typeof BandwidthMixedAlgo]
