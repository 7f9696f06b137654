/** The payload of an `upload_only` message: whether the sender wants nothing (more), after its handshake (BEP 21). */
export function encodeUploadOnly(isUploadOnly: boolean): Uint8Array {
  return Uint8Array.of(isUploadOnly ? 1 : 0)
}

/** Null when the payload is not one byte; libtorrent ignores such a message. */
export function decodeUploadOnly(payload: Uint8Array): boolean | null {
  return payload.length === 1 ? payload[0] !== 0 : null
}
