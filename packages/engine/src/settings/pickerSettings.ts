import { bool, float, int, source } from './settingRow.ts'

/** Settings about which blocks are requested, from whom and when. */
export const pickerSettings = {
  initialPickerThreshold: int('initial_picker_threshold', {
    default: 4,
    unit: 'pieces',
    source: source.manual,
    doc: 'The first pieces of a torrent are picked at random, so that there is soon something to share. From this many on, rarest first.',
  }),
  prioritizePartialPieces: bool('prioritize_partial_pieces', {
    default: false,
    source: source.manual,
    doc: 'Finish begun pieces before beginning rarer ones. Happens anyway when begun pieces grow too many.',
  }),
  strictEndGameMode: bool('strict_end_game_mode', {
    default: true,
    source: source.manual,
    doc: 'Request a block twice only when every block still missing has been requested once.',
  }),
  wholePiecesThreshold: int('whole_pieces_threshold', {
    default: 20,
    unit: 's',
    source: source.manual,
    doc: 'A peer that can send a whole piece within this time is asked for whole pieces: better for the disk, and for finding who sent bad data.',
  }),
  useParoleMode: bool('use_parole_mode', {
    default: true,
    source: source.manual,
    doc: 'Peers that took part in a piece that failed its hash check get whole pieces to themselves until one is good, or they are caught.',
  }),
  requestTimeout: int('request_timeout', {
    default: 60,
    classic: 50,
    min: 1,
    unit: 's',
    source: source.v1_0,
    doc: 'A peer that sends no requested block for this long is snubbed: it gets one request at a time.',
  }),
  pieceTimeout: int('piece_timeout', {
    default: 20,
    min: 1,
    unit: 's',
    source: source.manual,
    doc: 'A requested block that has not arrived after this time may be asked from another peer.',
  }),
  requestQueueTime: float('request_queue_time', {
    default: 3,
    min: 0.1,
    unit: 's',
    source: source.manual,
    doc: 'Requests outstanding at a peer: as many as it sends in this time.',
  }),
  maxOutRequestQueue: int('max_out_request_queue', {
    default: 500,
    classic: 200,
    min: 2,
    unit: 'requests',
    source: source.manual,
    doc: 'Most requests outstanding at a peer, however fast it is.',
  }),
  autoSequential: bool('auto_sequential', {
    default: true,
    classic: false,
    source: source.v1_1,
    doc: 'Download in order while at least ten seeds are connected, and ten times as many as other peers: rarity does not matter then, and the disk is spared.',
  }),
  pieceExtentAffinity: bool('piece_extent_affinity', {
    default: false,
    source: source.v1_2,
    doc: 'Prefer pieces next to ones in progress, until 4 MiB in a row are complete: larger writes for torrents of small pieces.',
  }),
} as const
