/** Every block of the torrent the feeder serves: what it sends can then be encrypted before it is asked for. */
export const REPEATED_BLOCK = Uint8Array.from({ length: 16 * 1024 }, (_, i) => (i * 31) ^ (i >> 6))
