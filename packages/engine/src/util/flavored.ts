/**
 * Numbers that must not be mixed are different types. A plain number may be used as any of them,
 * but a `PieceIndex` cannot be passed where a `BlockIndex` is wanted, nor seconds where milliseconds are.
 */
type Flavored<Name extends string> = number & { readonly __flavor?: Name }

/** Index of a piece in its torrent, from 0. */
export type PieceIndex = Flavored<'piece'>
/** Index of a 16 KiB block inside its piece, from 0. */
export type BlockIndex = Flavored<'block'>
/** Index of a file in its torrent's file list, from 0. */
export type FileIndex = Flavored<'file'>
/** A duration, or an instant of the platform's monotonic clock, in milliseconds. */
export type Millis = Flavored<'millis'>
/** A duration in seconds, the unit of libtorrent's settings. */
export type Seconds = Flavored<'seconds'>
/** An instant of the wall clock: seconds since 1970-01-01 UTC. */
export type UnixSeconds = Flavored<'unix'>
/** Index of a 16 KiB slot in the shared block pool. */
export type SlotIndex = Flavored<'slot'>

/** The unit of transfer and of requests (BEP 3). */
export const BLOCK_SIZE_BYTES = 16 * 1024
