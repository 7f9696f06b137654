const fill = Buffer.prototype.fill

/**
 * Copies `source` to `target` from `offset` on, where `target` lies in a SharedArrayBuffer; the caller has checked that
 * it fits. `target.set` would do the same, but for shared memory V8 copies byte by byte unless both sides are aligned,
 * and behind the 13-byte header of a block they are not: 3 GB/s against 27 GB/s for this (Node 20). `Buffer.fill` with
 * bytes as many as are to be filled is the plain memory copy of Node that any view may be the target of.
 */
export function copyToShared(target: Uint8Array, offset: number, source: Uint8Array): void {
  if (source.length > 0) fill.call(target, source, offset, offset + source.length)
}
