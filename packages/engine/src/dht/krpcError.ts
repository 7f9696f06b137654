/** Error codes of KRPC: BEP 5 (201-204), BEP 44 (205-302). */
export const KrpcErrorCode = {
  generic: 201,
  server: 202,
  /** Malformed packet, invalid arguments or bad token. */
  protocol: 203,
  methodUnknown: 204,
  messageTooBig: 205,
  invalidSignature: 206,
  saltTooBig: 207,
  /** The compare-and-swap number is not that of the stored item. */
  casMismatch: 301,
  /** The sequence number is lower than that of the stored item. */
  oldSequenceNumber: 302,
} as const
export type KrpcErrorCode = (typeof KrpcErrorCode)[keyof typeof KrpcErrorCode]

/** Why a query is refused. */
export interface KrpcFailure {
  readonly code: KrpcErrorCode
  readonly message: string
}

export function krpcFailure(code: KrpcErrorCode, message: string): KrpcFailure {
  return { code, message }
}
