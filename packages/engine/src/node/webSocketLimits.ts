/**
 * In how many pieces one message may come. Each piece has a buffer, which a sender of single bytes makes a hundred times as
 * large as what it holds; nobody in earnest sends more than a few. Package `ws` since 8.21.
 */
export const PIECE_LIMITS = { maxFragments: 256, maxBufferedChunks: 2048 } as const
