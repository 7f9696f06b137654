/** Ids of peer wire messages: the byte after the length prefix. */
export const MessageId = {
  // BEP 3
  choke: 0,
  unchoke: 1,
  interested: 2,
  notInterested: 3,
  have: 4,
  bitfield: 5,
  request: 6,
  piece: 7,
  cancel: 8,
  // BEP 5
  dhtPort: 9,
  // BEP 6
  suggest: 13,
  haveAll: 14,
  haveNone: 15,
  reject: 16,
  allowedFast: 17,
  // BEP 10
  extended: 20,
} as const

/** Bytes of a piece message before the block: length, id, piece, begin. */
export const PIECE_HEADER_SIZE = 13
