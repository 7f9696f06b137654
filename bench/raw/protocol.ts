/** One piece of the raw transfer: what the receiver hands to its worker at once. */
export const REGION_SIZE_BYTES = 1 << 20

/** 32 MiB between socket and disk. */
export const REGION_COUNT = 32

export interface WorkerStart {
  readonly memory: SharedArrayBuffer
  readonly path: string
}

/** A filled region, to be hashed and written at `offset`. */
export interface WorkerJob {
  readonly region: number
  readonly length: number
  readonly offset: number
}

/** The regions whose bytes are hashed and written. */
export interface WorkerReply {
  readonly regions: readonly number[]
}
